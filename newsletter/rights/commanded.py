"""What the commands `person show` and `person erase` do."""

from newsletter.addresses import read_address
from newsletter.agreements.actions import Origin
from newsletter.database import Session
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import CLI, Act
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.rights import document
from newsletter.rights.access import gather_by_address
from newsletter.rights.holding import Holding
from newsletter.rights.my import choices
from newsletter.rights.my.shown import shown

_NOTHING = "Nothing is held about this address."


def recognised_by(address: str) -> str:
    """Give the form by which an address is recognised. Raises InvalidInput."""
    return read_address(address).canonical


async def show(session: Session, installation: Installation, canonical: str, *, as_json: bool) -> str:
    """Give everything held about an address, in lines or as JSON. Raises NotFound."""
    holding = await gather_by_address(session, installation, canonical)
    if holding.empty:
        raise NotFound(_NOTHING)
    await audit.note(session, installation, CLI, Act.PERSON_READ, subject_id=_subject(holding))
    if as_json:
        return (await document.as_json(session, installation, holding)).decode()
    return "\n".join(_lines(installation, holding))


async def erase(session: Session, installation: Installation, canonical: str) -> None:
    """Delete everything about an address. Raises NotFound."""
    holding = await gather_by_address(session, installation, canonical)
    origin = Origin("editor", "command")
    if not await choices.erase(session, installation, canonical, origin):
        raise NotFound(_NOTHING)
    await audit.note(session, installation, CLI, Act.PERSON_ERASED, subject_id=_subject(holding))


def _subject(holding: Holding) -> str | None:
    return holding.subscriber.id if holding.subscriber else None


def _lines(installation: Installation, holding: Holding) -> list[str]:
    held = shown(installation, holding, "en")
    lines = [held["email"], *(f"  {each['label']}: {each['value']}" for each in held["details"])]
    for each in held["subscriptions"]:
        lines.append(f"{each['name']}: {each['state']} since {each['since']:%Y-%m-%d %H:%M} UTC")
        for agreement in each["agreements"]:
            lines.append(f"  agreement {agreement['id']}: {agreement['gdpr_basis']}")
            lines += [f"    {event['at']:%Y-%m-%d %H:%M} UTC {event['what']}" for event in agreement["events"]]
    for each in held["requests"]:
        lines.append(f"{each['name']}: asked for {each['asked_at']:%Y-%m-%d %H:%M} UTC, not confirmed")
    for each in held["tags"]:
        lines.append(f"{each['what']}, until {each['until']:%Y-%m-%d}")
    lines.append(f"{len(held['issues'])} issues; with --json all of it")
    return lines
