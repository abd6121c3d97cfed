"""What came back: one row for each report, stripped to what it says, and counters that outlive it.

A report's row hangs on the person by their subscription, or by their signup request, and goes with either (RULES C1);
the rest go after 30 days. It holds no address and no words of the mail but the everyday ones of mail servers. The
counters have no foreign key to people, so the figures of a mailing stay right whoever leaves.
"""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

RULE = "reports"
SEEN_RULE = "alarms that were seen"
_KEPT = "30 days, or until the subscriber leaves"


class ReportState(StrEnum):
    """Where a report stands: stored, or followed by what is due, or by nothing."""

    TAKEN = "taken"
    SETTLED = "settled"
    IGNORED = "ignored"


class Report(SQLModel, table=True):
    """What one report says of one delivery of a mailing, or of one letter. `id` is a digest of both: whatever says the
    same again, by whatever way, is the same row.

    A letter's has no mailing; it names the subscription or the signup request that the letter was about. `sent_on` is
    the day on which the mail was written, and `late` is where that is too long ago to count. `action`, `status` and
    `reply` are the report's status fields; `why` says why nothing followed. `counted` is the one that says of its
    delivery that it did not arrive.
    """

    __tablename__ = "report"

    id: str = Field(primary_key=True, max_length=64)
    mailing_id: str | None = Field(
        default=None, foreign_key="mailing.id", ondelete="CASCADE", index=True, max_length=26
    )
    number: int | None = None
    subscription_id: str | None = Field(
        default=None,
        foreign_key="subscription.id",
        ondelete="CASCADE",
        index=True,
        max_length=26,
        sa_column_kwargs={"info": personal(Category.CONTACT, "not mailing a dead address", _KEPT)},
    )
    request_id: str | None = Field(
        default=None, foreign_key="signup_request.id", ondelete="CASCADE", index=True, max_length=26
    )
    way: str = Field(max_length=16)
    received_at: datetime = Field(sa_type=Moment, index=True)
    sent_on: datetime = Field(sa_type=Moment)
    late: bool = False
    verdict: str = Field(max_length=20)
    code: str | None = Field(default=None, max_length=12)
    reason: str = Field(max_length=200)
    action: str | None = Field(default=None, max_length=16)
    status: str | None = Field(default=None, max_length=12)
    reply: str | None = Field(default=None, max_length=200)
    state: str = Field(default=ReportState.TAKEN, max_length=16)
    due_at: datetime = Field(sa_type=Moment, index=True)
    why: str | None = Field(default=None, max_length=16)
    counted: bool = False


class Returned(SQLModel, table=True):
    """How many deliveries of a mailing came back so: `what` is a verdict, or `bounced` for each that did not arrive."""

    __tablename__ = "returned"

    mailing_id: str = Field(primary_key=True, foreign_key="mailing.id", ondelete="CASCADE", max_length=26)
    what: str = Field(primary_key=True, max_length=20)
    count: int = 0


class CameBack(SQLModel, table=True):
    """How many deliveries came back so on a day, and from which domain; without a foreign key, for they outlive people.

    `mailing_id` is empty for letters. `domain` is empty unless many enough subscribe with it, for a small one names
    people (`came_back.large`). `at_once` is a refusal that we met ourselves, and not a report that came later.
    """

    __tablename__ = "came_back"

    mailing_id: str = Field(primary_key=True, max_length=26)
    day: datetime = Field(primary_key=True, sa_type=Moment, index=True)
    domain: str = Field(primary_key=True, max_length=255)
    verdict: str = Field(primary_key=True, max_length=20)
    code: str = Field(primary_key=True, max_length=12)
    at_once: bool = Field(primary_key=True)
    count: int = 0


class Received(SQLModel, table=True):
    """How much came in on a day, by which way, and what was done with it (`reports.Taken`); `last_at` is the hour of
    the last of it.
    """

    __tablename__ = "received"

    day: datetime = Field(primary_key=True, sa_type=Moment)
    way: str = Field(primary_key=True, max_length=16)
    taken: str = Field(primary_key=True, max_length=16)
    count: int = 0
    last_at: datetime | None = Field(default=None, sa_type=Moment)


class Alarm(SQLModel, table=True):
    """How many alarms a mailing had when it had so many results (`after`), and the code of the last of them.

    `weighed` is where an editor was told.
    """

    __tablename__ = "alarm"

    mailing_id: str = Field(primary_key=True, foreign_key="mailing.id", ondelete="CASCADE", max_length=26)
    after: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    code: str = Field(max_length=12)
    count: int = 0
    weighed: bool = False


class AlarmSeen(SQLModel, table=True):
    """Up to where an editor, or a program, has seen the alarms of a code: up to so many (`count`) of that `day`.

    `actor` is who, as the audit trail names them.
    """

    __tablename__ = "alarm_seen"

    code: str = Field(primary_key=True, max_length=12)
    day: datetime = Field(sa_type=Moment)
    count: int
    seen_at: datetime = Field(sa_type=Moment)
    actor: str = Field(
        max_length=40,
        sa_column_kwargs={
            "info": personal(Category.ACCOUNT, "telling the others who looks after it", "seven days", SEEN_RULE)
        },
    )
