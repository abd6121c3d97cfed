"""Making newsletters, finding them and changing their settings."""

import re
from collections.abc import Mapping
from email.utils import parseaddr

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from newsletter.addresses import read_address
from newsletter.clock import Clock
from newsletter.database import Session
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.language import LANGUAGES, known
from newsletter.newsletters.tables import Measurement, Newsletter
from newsletter.tokens import new_id

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_SLUG = 64
MOST_MONTHS = 120
RESPONSIBLE = {
    "controller_name": 100,
    "controller_organisation_number": 30,
    "controller_address": 200,
    "privacy_contact": 254,
    "data_protection_officer": 200,
}


def is_slug(text: str) -> bool:
    """Say whether a newsletter could have that short name."""
    return len(text) <= _LONGEST_SLUG and _SLUG.fullmatch(text) is not None


def read_sender(text: str) -> tuple[str, str]:
    """Read `Name <address>` into name and address. Raises InvalidInput for `sender`."""
    sentence = "The sender must look like: News of Example <news@example.com>."
    name, address = parseaddr(text)
    if not address or not text.isprintable() or len(name) > 100:
        raise InvalidInput(sentence, {"sender": sentence})
    try:
        return name, read_address(address).email
    except InvalidInput as error:
        raise InvalidInput(sentence, {"sender": sentence}) from error


def read_settings(values: Mapping[str, str]) -> dict[str, str | int]:
    """Read name, sender, description, language, measurement, who answers and how long it holds, as far as given.

    Raises InvalidInput for all that is wrong at once.
    """
    read: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for field, longest in (("name", 100), ("description", 500)):
        if field in values:
            read[field] = values[field].strip()
            if len(read[field]) > longest or not read[field].isprintable():
                wrong[field] = f"The {field} must be one line of at most {longest} characters."
    if "name" in read and not read["name"]:
        wrong["name"] = "Please give the newsletter a name."
    if "sender" in values:
        try:
            read["sender_name"], read["sender_address"] = read_sender(values["sender"])
        except InvalidInput as error:
            wrong |= error.fields
    if "language" in values:
        language = known(values["language"])
        read["language"] = language or ""
        if language is None:
            wrong["language"] = f"The language must be one of {', '.join(LANGUAGES)}."
    if "measurement" in values:
        read["measurement"] = values["measurement"]
        if read["measurement"] not in set(Measurement):
            wrong["measurement"] = "Measurement is either off or anonymous."
    _read_responsible(values, read, wrong)
    months = _read_months(values, wrong)
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    return {**read, **months}


def _read_months(values: Mapping[str, str], wrong: dict[str, str]) -> dict[str, int]:
    """Read after how many months readers are reminded, and asked to renew (RULES A9)."""
    read = {}
    for field, what in (("reminder_months", "a reminder"), ("renewal_months", "a renewal")):
        if field in values:
            typed = values[field].strip()
            read[field] = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else -1
            if not 0 <= read[field] <= MOST_MONTHS:
                wrong[field] = f"Give the months between agreement and {what}, up to {MOST_MONTHS}; 0 is never."
    return read


def _read_responsible(values: Mapping[str, str], read: dict[str, str], wrong: dict[str, str]) -> None:
    """Read who answers for the newsletter; what is empty is as in the installation's settings."""
    for field, longest in RESPONSIBLE.items():
        if field in values:
            read[field] = values[field].strip()
            if len(read[field]) > longest or not read[field].isprintable():
                wrong[field] = f"This must be one line of at most {longest} characters."
    try:
        if read.get("privacy_contact"):
            read_address(read["privacy_contact"])
    except InvalidInput as error:
        wrong["privacy_contact"] = error.sentence


async def create(session: Session, clock: Clock, slug: str, settings: Mapping[str, str]) -> Newsletter:
    """Make a newsletter. Raises InvalidInput for a setting that won't do, Conflict for a slug that is taken."""
    if not is_slug(slug):
        sentence = "The short name may hold lower-case letters, digits and single hyphens, like weekly-news."
        raise InvalidInput(sentence, {"slug": sentence})
    read = read_settings({"name": "", "sender": "", "language": "nb", **settings})
    sentence = f"There is a newsletter with the short name {slug} already."
    taken = await session.exec(select(Newsletter.id).where(Newsletter.slug == slug))
    if taken.first():
        raise Conflict(sentence, {"slug": sentence})
    newsletter = Newsletter.model_validate({"id": new_id(), "slug": slug, "created_at": clock.now(), **read})
    session.add(newsletter)
    try:
        await session.flush()
    except IntegrityError as error:
        # Somebody else took the name a moment ago.
        raise Conflict(sentence, {"slug": sentence}) from error
    return newsletter


async def by_slug(session: Session, slug: str) -> Newsletter:
    """Give the newsletter of that slug. Raises NotFound."""
    if is_slug(slug):
        found = await session.exec(select(Newsletter).where(Newsletter.slug == slug))
        if newsletter := found.first():
            return newsletter
    raise NotFound("There is no newsletter of that name here.")


async def by_id(session: Session, newsletter_id: str) -> Newsletter:
    """Give the newsletter of that id. Raises NotFound."""
    newsletter = await session.get(Newsletter, newsletter_id)
    if newsletter is None:
        raise NotFound("This newsletter is no longer here.")
    return newsletter


async def on_offer(session: Session) -> list[Newsletter]:
    """Give all newsletters, by name."""
    return list((await session.exec(select(Newsletter).order_by(col(Newsletter.name)))).all())
