"""What is held about one person, as one thing: it is looked at, handed out and answered for from here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.agreements.tables import Agreement, AgreementEvent, Notice
from newsletter.agreements.traces.tags import HeldTag
from newsletter.newsletters.processor_tables import Processor
from newsletter.newsletters.tables import Newsletter
from newsletter.personal import Personal
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import Subscriber, Subscription


@dataclass(frozen=True, slots=True)
class HeldValue:
    """One thing that is kept: in which column, what, and what the declaration says of it."""

    table: str
    column: str
    value: Any
    declared: Personal


@dataclass(frozen=True, slots=True)
class HeldAgreement:
    """An agreement, the notice as it was shown, and what has happened, from the first to the last."""

    agreement: Agreement
    notice: Notice
    events: Sequence[AgreementEvent]


@dataclass(frozen=True, slots=True)
class HeldSubscription:
    """A subscription, to which newsletter, and the agreements on which it rests."""

    subscription: Subscription
    newsletter: Newsletter
    agreements: Sequence[HeldAgreement]


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """A signup that the mailbox has not confirmed yet, with the agreement that waits with it."""

    request: SignupRequest
    newsletter: Newsletter
    agreements: Sequence[HeldAgreement]


@dataclass(frozen=True, slots=True)
class HeldIssue:
    """An issue that was for them: when its mailing began, and what became of it; None where it still waits."""

    newsletter: str
    number: int
    subject: str
    began_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything held about an address at a moment. `subscriber` is None where nothing but requests or tags are.

    `newsletters` are those concerned; `processors` are by the newsletter's id.
    """

    at: datetime
    canonical: str
    subscriber: Subscriber | None
    values: Sequence[HeldValue]
    subscriptions: Sequence[HeldSubscription]
    requests: Sequence[HeldRequest]
    issues: Sequence[HeldIssue]
    tags: Sequence[HeldTag]
    newsletters: Sequence[Newsletter]
    processors: Mapping[str, Sequence[Processor]]

    @property
    def empty(self) -> bool:
        """Say whether nothing at all is held."""
        return not (self.values or self.tags)
