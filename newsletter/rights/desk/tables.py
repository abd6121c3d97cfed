"""Rights requests that came by letter, phone, mail or in person (RULES B1).

A request is two rows. The one says what was asked, when, and what came of it, and names nobody: it stays when the
request is closed. The other names somebody: it hangs on the subscriber, where that is one, and goes with them; and it
goes when the request is closed. The steps taken are kept as a kind and a time.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

RULE = "rights requests"
_UNTIL_CLOSED = "until the request is closed"


class RequestKind(StrEnum):
    """Which right is exercised (GDPR art. 15-18, 20, 21)."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"


class Arrival(StrEnum):
    """How a request came."""

    LETTER = "letter"
    PHONE = "phone"
    MAIL = "mail"
    IN_PERSON = "in_person"


class Outcome(StrEnum):
    """What came of a request."""

    FULFILLED = "fulfilled"
    NOTHING_HELD = "nothing_held"
    NOT_IDENTIFIED = "not_identified"
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"


class StepKind(StrEnum):
    """What an editor did for a request."""

    REGISTERED = "registered"
    IDENTIFIED = "identified"
    SHOWN = "shown"
    EXPORTED = "exported"
    CORRECTED = "corrected"
    RESTRICTED = "restricted"
    UNRESTRICTED = "unrestricted"
    OBJECTED = "objected"
    ERASED = "erased"
    ANSWERED = "answered"


class RightsRequest(SQLModel, table=True):
    """A request and its clock. It names nobody."""

    __tablename__ = "rights_request"

    id: str = Field(primary_key=True, max_length=26)
    kind: str = Field(max_length=16)
    arrival: str = Field(max_length=16)
    received_on: date
    due_on: date
    editor_id: str | None = Field(default=None, foreign_key="editor.id", ondelete="SET NULL", index=True, max_length=26)
    identified_at: datetime | None = Field(default=None, sa_type=Moment)
    reminded_on: date | None = None
    closed_on: date | None = Field(default=None, index=True)
    outcome: str | None = Field(default=None, max_length=16)


class RightsSubject(SQLModel, table=True):
    """What names the person an open request is about. It goes with the person, and when the request is closed."""

    __tablename__ = "rights_subject"

    request_id: str = Field(primary_key=True, foreign_key="rights_request.id", ondelete="CASCADE", max_length=26)
    subscriber_id: str | None = Field(
        default=None,
        foreign_key="subscriber.id",
        ondelete="CASCADE",
        index=True,
        max_length=26,
        sa_column_kwargs={"info": personal(Category.REQUEST, "answering a rights request", _UNTIL_CLOSED, RULE)},
    )
    who: str = Field(
        default="",
        max_length=200,
        sa_column_kwargs={"info": personal(Category.REQUEST, "answering a rights request", _UNTIL_CLOSED, RULE)},
    )
    identity: str = Field(
        default="",
        max_length=500,
        sa_column_kwargs={"info": personal(Category.REQUEST, "knowing who is asking", _UNTIL_CLOSED, RULE)},
    )
    note: str = Field(
        default="",
        max_length=4000,
        sa_column_kwargs={"info": personal(Category.REQUEST, "answering a rights request", _UNTIL_CLOSED, RULE)},
    )


class RightsStep(SQLModel, table=True):
    """One thing that was done for a request."""

    __tablename__ = "rights_step"

    id: str = Field(primary_key=True, max_length=26)
    request_id: str = Field(foreign_key="rights_request.id", ondelete="CASCADE", index=True, max_length=26)
    kind: str = Field(max_length=16)
    at: datetime = Field(sa_type=Moment)
    editor_id: str | None = Field(default=None, foreign_key="editor.id", ondelete="SET NULL", index=True, max_length=26)
