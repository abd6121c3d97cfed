"""Which notice a newsletter shows from when on, as entries of a chain of their own (RULES A6; decision 12).

The words of a notice are held by its name. That a newsletter showed them, and from when on, is held by an entry that is
appended when an editor puts them in force, or takes a planned one back: so nobody with the database alone can move a
notice's beginning, hide one, or let a newsletter show another.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from sqlmodel import col, select

from newsletter.agreements.tables import NoticeUse
from newsletter.chain import actions as chain
from newsletter.chain.findings import Fault, Finding
from newsletter.chain.heads_file import parsed
from newsletter.chain.rules import canonical
from newsletter.database import Session
from newsletter.installation import Installation

CHAIN = "notices"
SHOWN, TAKEN_BACK = "shown", "taken back"


async def note_shown(session: Session, installation: Installation, use: NoticeUse) -> None:
    """Append that a newsletter shows a notice, in the transaction that puts it in force."""
    await chain.append(session, installation, CHAIN, SHOWN, [None], canonical(_content(use)))


async def note_taken_back(session: Session, installation: Installation, use: NoticeUse) -> None:
    """Append that a planned notice was taken back."""
    said = {"use": use.id, "at": installation.clock.now().isoformat()}
    await chain.append(session, installation, CHAIN, TAKEN_BACK, [None], canonical(said))


async def adopt(session: Session, installation: Installation) -> None:
    """Append the notices that an earlier version put in force: only for `adopting`, which happens once."""
    known = (await _entries(session))[0]
    query = select(NoticeUse).order_by(col(NoticeUse.valid_from), col(NoticeUse.id))
    for use in (await session.exec(query)).all():
        if use.id not in known:
            await note_shown(session, installation, use)


async def check(session: Session) -> list[Finding]:
    """Give what is not shown as the chain says. Whether the chain itself holds, `chain.verifying` finds."""
    shown, taken_back = await _entries(session)
    uses = (await session.exec(select(NoticeUse).order_by(col(NoticeUse.id)))).all()
    return list(_compare({use.id: _content(use) for use in uses}, shown, taken_back))


def _compare(uses: Mapping[str, Any], shown: Mapping[str, tuple[int, Any]], taken_back: set[str]) -> Iterator[Finding]:
    for use_id, content in uses.items():
        number, said = shown.get(use_id, (None, None))
        if said is None or use_id in taken_back:
            sentence = f"nobody put the notice {content['notice']} in force here"
            yield Finding(Fault.CHANGED_NOTICE, sentence, CHAIN, number)
        elif said != content:
            changed = ", ".join(name for name in content if content[name] != said.get(name))
            sentence = f"the notice {said.get('notice')} was put in force otherwise than the table says ({changed})"
            yield Finding(Fault.CHANGED_NOTICE, sentence, CHAIN, number)
    for use_id, (number, said) in shown.items():
        if use_id not in uses and use_id not in taken_back:
            sentence = f"that the notice {said.get('notice')} was put in force is gone from the table"
            yield Finding(Fault.CHANGED_NOTICE, sentence, CHAIN, number)


async def _entries(session: Session) -> tuple[dict[str, tuple[int, Any]], set[str]]:
    """Give what the chain says of each use, with its number; and the uses that were taken back."""
    shown, taken_back = {}, set()
    async for entry in chain.of_kind(session, CHAIN, SHOWN):
        said = parsed((entry.body or "").encode())
        shown[str(said.get("use"))] = (entry.number, said)
    async for entry in chain.of_kind(session, CHAIN, TAKEN_BACK):
        taken_back.add(str(parsed((entry.body or "").encode()).get("use")))
    return shown, taken_back


def _content(use: NoticeUse) -> dict[str, Any]:
    return {
        "use": use.id,
        "newsletter": use.newsletter_id,
        "notice": use.notice_hash,
        "language": use.language,
        "valid_from": use.valid_from.astimezone(UTC).isoformat(timespec="microseconds"),
        "material": use.material,
    }
