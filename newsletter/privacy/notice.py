"""The public privacy notice, put together from the settings, the newsletters, the processors and the declarations.

Nothing in it is written by hand for one installation, so it says what the system does (RULES B5, C5, D6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.newsletters import processors
from newsletter.newsletters.actions import on_offer
from newsletter.newsletters.controller import Responsible, responsible_for
from newsletter.newsletters.processor_tables import Processor
from newsletter.newsletters.tables import Newsletter
from newsletter.privacy import declared
from newsletter.privacy.declared import Held
from newsletter.settings import Settings


@dataclass(frozen=True, slots=True)
class OfNewsletter:
    """What differs from newsletter to newsletter. `other_company` is given where not the installation's answers."""

    name: str
    measurement: str
    other_company: Responsible | None


@dataclass(frozen=True, slots=True)
class OfProcessor:
    """A processor, whether data leaves the EEA with it, and for which newsletters it works; None stands for all."""

    processor: Processor
    country: str
    transfer: bool
    newsletters: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a group of data is for, and until when each part of it is kept."""

    purpose: str
    labels: Sequence[str]
    retentions: Sequence[str]


@dataclass(frozen=True, slots=True)
class PrivacyNotice:
    """What the page says."""

    company: Responsible
    newsletters: Sequence[OfNewsletter]
    readers: Sequence[tuple[str, Sequence[Purpose]]]
    editors: Sequence[tuple[str, Sequence[Purpose]]]
    processors: Sequence[OfProcessor]


async def notice_of(session: Session, installation: Installation, language: str) -> PrivacyNotice:
    """Give what the privacy notice says now; only the names of countries are in `language` already."""
    newsletters = await on_offer(session)
    company = company_of(installation.settings, newsletters)
    return PrivacyNotice(
        company=company,
        newsletters=[
            OfNewsletter(one.name, one.measurement, _other(company, responsible_for(installation.settings, one)))
            for one in newsletters
        ],
        readers=by_category(declared.about_readers()),
        editors=by_category(declared.about_editors()),
        processors=await described_processors(session, newsletters, language),
    )


def company_of(settings: Settings, newsletters: Sequence[Newsletter]) -> Responsible:
    """Give who answers for the installation: the company of the settings, else that of the first newsletter."""
    if settings.controller_name or not newsletters:
        return Responsible(
            settings.controller_name or settings.host,
            settings.controller_organisation_number,
            settings.controller_address,
            settings.controller_email,
            settings.controller_data_protection_officer,
        )
    return responsible_for(settings, newsletters[0])


def _other(company: Responsible, answering: Responsible) -> Responsible | None:
    same = (answering.name, answering.contact) == (company.name, company.contact or answering.contact)
    return None if same else answering


async def described_processors(
    session: Session, newsletters: Sequence[Newsletter], language: str
) -> Sequence[OfProcessor]:
    """Give the processors with the names of their country and newsletters."""
    names = {one.id: one.name for one in newsletters}
    return [
        OfProcessor(
            processor,
            processors.countries(language).get(processor.country, processor.country),
            not processors.in_eea(processor.country),
            None if only is None else sorted(names[one] for one in only if one in names),
        )
        for processor, only in await processors.listed(session)
    ]


def by_category(lines: Sequence[Held]) -> Sequence[tuple[str, Sequence[Purpose]]]:
    """Give the lines under their kinds of data, one for each purpose."""
    return [
        (category, [_joined(purpose, list(parts)) for purpose, parts in groupby(within, lambda line: line.purpose)])
        for category, within in groupby(lines, lambda line: line.category)
    ]


def _joined(purpose: str, parts: Sequence[Held]) -> Purpose:
    labels = sorted({label for part in parts for label in part.labels})
    return Purpose(purpose, labels, [part.retention for part in parts])
