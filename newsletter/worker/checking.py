"""What must be right before a worker starts: a setting that is wrong is told at once, not with the first mail."""

from newsletter.bounces.mailbox.url import mailbox_of
from newsletter.bounces.webhooks import routes as webhooks
from newsletter.clock import SystemClock
from newsletter.delivery.pace.limits import Limits
from newsletter.mail.dkim.keys import signing_domain_of
from newsletter.mail.wire.relays import Routes
from newsletter.settings import Settings


def check(settings: Settings) -> None:
    """Find out before the start what would keep a worker from mailing. Raises MisconfiguredError."""
    Routes.of(settings)
    Limits.of(settings)
    mailbox_of(settings)
    signing_domain_of(settings)
    webhooks.services_of(settings, SystemClock())
