"""The record of processing activities (GDPR art. 30), from the settings, the declarations and the processors.

There is one activity for each newsletter and one for the console. Everything in it is read from what runs (RULES B5).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.newsletters.actions import on_offer
from newsletter.newsletters.controller import Responsible, responsible_for
from newsletter.newsletters.tables import Newsletter
from newsletter.privacy import declared
from newsletter.privacy.declared import Held
from newsletter.privacy.notice import OfProcessor, company_of, described_processors
from newsletter.privacy.security import Measure, measures
from newsletter.signup.actions import count_pending
from newsletter.subscribers.actions import count_active

_BASES = (
    "Sending: agreement (GDPR art. 6(1)(b)) and consent to marketing (markedsføringsloven § 15), unless the single "
    "agreement says otherwise",
    "Evidence of agreements: legal obligation (art. 6(1)(c) with art. 5(2) and 7(1))",
    "Keyed tags after the end: legitimate interest (art. 6(1)(f))",
)
_CONSOLE_BASES = (
    "Accounts and audit trail: legitimate interest in security and accountability (art. 6(1)(f), 5(2), 32)",
)
_READERS = "Subscribers, and those who asked to be one and have not confirmed"


@dataclass(frozen=True, slots=True)
class Activity:
    """A processing activity. `people` are how many the data is about at this moment."""

    name: str
    controller: Responsible
    purposes: Sequence[str]
    about: str
    people: int
    bases: Sequence[str]
    data: Sequence[Held]
    recipients: Sequence[OfProcessor]

    @property
    def transfers(self) -> Sequence[OfProcessor]:
        """Give the recipients outside the European Economic Area."""
        return [one for one in self.recipients if one.transfer]


@dataclass(frozen=True, slots=True)
class Record:
    """The whole record, as it is at a moment."""

    at: datetime
    company: Responsible
    activities: Sequence[Activity]
    security: Sequence[Measure]


async def record_of(session: Session, installation: Installation) -> Record:
    """Give the record of processing as it stands now."""
    newsletters = await on_offer(session)
    recipients = await described_processors(session, newsletters, "en")
    company = company_of(installation.settings, newsletters)
    activities = [await _sending(session, installation, one, recipients) for one in newsletters]
    return Record(
        at=installation.clock.now(),
        company=company,
        activities=[*activities, _console(company, recipients)],
        security=measures(installation),
    )


async def _sending(
    session: Session, installation: Installation, newsletter: Newsletter, recipients: Sequence[OfProcessor]
) -> Activity:
    data = declared.about_readers()
    return Activity(
        name=f"Newsletter {newsletter.name}",
        controller=responsible_for(installation.settings, newsletter),
        purposes=[*sorted({line.purpose for line in data}), f"measuring reading: {newsletter.measurement}"],
        about=_READERS,
        people=await count_active(session, newsletter.id) + await count_pending(session, newsletter.id),
        bases=_BASES,
        data=data,
        recipients=[one for one in recipients if one.newsletters is None or newsletter.name in one.newsletters],
    )


def _console(company: Responsible, recipients: Sequence[OfProcessor]) -> Activity:
    data = declared.about_editors()
    return Activity(
        name="Console",
        controller=company,
        purposes=sorted({line.purpose for line in data}),
        about="Editors",
        people=0,
        bases=_CONSOLE_BASES,
        data=data,
        recipients=[one for one in recipients if one.newsletters is None],
    )


def as_json(record: Record) -> dict[str, Any]:
    """Give the record for other programs; the names of columns are `table.column`."""
    return {
        "schema": "newsletter-record-of-processing/1",
        "at": record.at.isoformat(),
        "company": asdict(record.company),
        "activities": [_activity(one) for one in record.activities],
        "security_measures": [asdict(one) for one in record.security],
    }


def _activity(activity: Activity) -> dict[str, Any]:
    return {
        "name": activity.name,
        "controller": asdict(activity.controller),
        "purposes": list(activity.purposes),
        "categories_of_people": activity.about,
        "people": activity.people,
        "legal_bases": list(activity.bases),
        "data": [asdict(line) for line in activity.data],
        "recipients": [_recipient(one) for one in activity.recipients],
        "transfers": [_recipient(one) for one in activity.transfers],
    }


def _recipient(one: OfProcessor) -> dict[str, Any]:
    contract = one.processor.contract_on
    return {
        "name": one.processor.name,
        "purpose": one.processor.purpose,
        "country": one.processor.country,
        "transfer_ground": one.processor.transfer_ground,
        "contract_on": contract.isoformat() if contract else None,
    }
