"""The settings: environment variables named NEWSLETTER_…, each of which may be given as …_FILE instead."""

from newsletter.settings.fields import KEY_FILE, LONGEST_RECEIPTS, PREFIX, Settings
from newsletter.settings.loading import load

__all__ = ["KEY_FILE", "LONGEST_RECEIPTS", "PREFIX", "Settings", "load"]
