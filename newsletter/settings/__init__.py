"""The settings: environment variables named NEWSLETTER_…, each of which may be given as …_FILE instead."""

from newsletter.settings.derived import KEY_FILE, Settings
from newsletter.settings.fields import LONGEST_RECEIPTS, PREFIX
from newsletter.settings.loading import load
from newsletter.settings.places import make_folder
from newsletter.settings.shapes import Network

__all__ = ["KEY_FILE", "LONGEST_RECEIPTS", "PREFIX", "Network", "Settings", "load", "make_folder"]
