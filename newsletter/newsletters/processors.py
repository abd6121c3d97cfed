"""The list of processors: who processes data for us, what for, where, and on which ground it goes there (GDPR art. 28).

The public notice, the record of processing, the agreements' terms and the answers to readers all name whom this list
names. A processor works for every newsletter, or for those that are ticked.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from babel import Locale
from sqlalchemy import delete
from sqlmodel import col, select

from newsletter.database import Session
from newsletter.errors import InvalidInput, NotFound
from newsletter.newsletters.processor_tables import Processor, ProcessorUse
from newsletter.tokens import new_id

# The European Economic Area, where data may go without a further ground (GDPR art. 44).
_EEA = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IS IE IT LV LI LT LU MT NL NO PL PT RO SK SI ES SE".split()  # noqa: SIM905 (a list of thirty would be thirty lines)
)
_LONGEST = {"name": 100, "purpose": 200, "transfer_ground": 200}
# Not the unions and unknown regions that stand among the countries.
_CODE = re.compile(r"(?!EU|EZ|UN|ZZ|XA|XB|QO)[A-Z]{2}")
_NEEDED = {
    "name": "Please give the company's name.",
    "purpose": "Please say what it does for you, such as: runs the server.",
}
_COUNTRY = "Please choose the country in which it processes the data."
_GROUND = "Outside the EEA the law asks on which ground data goes there, such as the EU's standard contractual clauses."


@dataclass(frozen=True, slots=True)
class Described:
    """What an editor says about a processor. `newsletter_ids` are those it works for; None stands for all."""

    name: str
    purpose: str
    country: str
    transfer_ground: str = ""
    contract_on: date | None = None
    keeps_copies: bool = False
    newsletter_ids: Sequence[str] | None = field(default=None)


def in_eea(country: str) -> bool:
    """Say whether a country, by its ISO 3166 code, is in the European Economic Area."""
    return country in _EEA


@cache
def countries(language: str) -> Mapping[str, str]:
    """Give the countries by their ISO 3166 codes, called and ordered as in `language`."""
    named = {code: str(name) for code, name in Locale(language).territories.items() if _CODE.fullmatch(code)}
    return dict(sorted(named.items(), key=lambda one: one[1]))


def check(described: Described) -> None:
    """Raise InvalidInput for all that is missing or too long; outside the EEA a ground for the transfer is needed."""
    wrong = {name: sentence for name, sentence in _NEEDED.items() if not getattr(described, name).strip()}
    for name, longest in _LONGEST.items():
        if len(getattr(described, name)) > longest or not getattr(described, name).isprintable():
            wrong[name] = f"This must be one line of at most {longest} characters."
    if described.country not in countries("en"):
        wrong["country"] = _COUNTRY
    elif not in_eea(described.country) and not described.transfer_ground.strip():
        wrong["transfer_ground"] = _GROUND
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)


async def put(session: Session, described: Described, processor_id: str | None = None) -> Processor:
    """Add a processor, or change the one of that id. Raises InvalidInput, NotFound."""
    check(described)
    processor = (
        await by_id(session, processor_id) if processor_id else Processor(id=new_id(), name="", purpose="", country="")
    )
    for name in _LONGEST:
        setattr(processor, name, getattr(described, name).strip())
    processor.country = described.country
    processor.contract_on, processor.keeps_copies = described.contract_on, described.keeps_copies
    processor.every_newsletter = described.newsletter_ids is None
    session.add(processor)
    await session.flush()
    await session.execute(delete(ProcessorUse).where(col(ProcessorUse.processor_id) == processor.id))
    session.add_all(
        ProcessorUse(processor_id=processor.id, newsletter_id=one)
        for one in sorted(set(described.newsletter_ids or ()))
    )
    return processor


async def remove(session: Session, processor_id: str) -> None:
    """Take a processor off the list. Raises NotFound."""
    await session.delete(await by_id(session, processor_id))


async def by_id(session: Session, processor_id: str) -> Processor:
    """Give the processor of that id. Raises NotFound."""
    processor = await session.get(Processor, processor_id)
    if processor is None:
        raise NotFound("There is no such processor.")
    return processor


async def listed(session: Session) -> Sequence[tuple[Processor, frozenset[str] | None]]:
    """Give every processor by name, with the ids of the newsletters it works for; None stands for all."""
    uses: dict[str, set[str]] = {}
    for use in (await session.exec(select(ProcessorUse))).all():
        uses.setdefault(use.processor_id, set()).add(use.newsletter_id)
    found = (await session.exec(select(Processor).order_by(col(Processor.name), col(Processor.id)))).all()
    return [(one, None if one.every_newsletter else frozenset(uses.get(one.id, ()))) for one in found]


async def of_newsletters(session: Session, newsletter_ids: Sequence[str]) -> Mapping[str, Sequence[Processor]]:
    """Give for each of the newsletters the processors that work for it, by name."""
    everybody = await listed(session)
    return {
        newsletter_id: [one for one, only in everybody if only is None or newsletter_id in only]
        for newsletter_id in newsletter_ids
    }
