"""The worker: mails letters, sends mailings, buries the dead and keeps what has a retention."""

from newsletter.worker.checking import check
from newsletter.worker.running import Worker

__all__ = ["Worker", "check"]
