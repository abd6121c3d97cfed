"""The networks from which editors have signed in, as keyed hashes: they keep their turn while strangers try."""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.database import Session, insert, rows_of
from newsletter.editors.tables import EditorNetwork
from newsletter.installation import Installation
from newsletter.tokens import Keyring

LIFE = timedelta(days=60)


def _tag(keys: Keyring, editor_id: str, network: str) -> str:
    # An editor's id is random: one network has another tag with each of them.
    return keys.tag("editor network", f"{editor_id}/{network}".encode()).hex()


async def is_known(session: Session, installation: Installation, editor_id: str, network: str) -> bool:
    """Say whether the editor has signed in from that network lately."""
    query = select(EditorNetwork.editor_id).where(
        EditorNetwork.editor_id == editor_id,
        EditorNetwork.tag == _tag(installation.keys, editor_id, network),
        EditorNetwork.seen_at > installation.clock.now() - LIFE,
    )
    return (await session.exec(query)).first() is not None


async def remember(session: Session, installation: Installation, editor_id: str, network: str) -> None:
    """Note that the editor has signed in from there."""
    now, name = installation.clock.now(), _tag(installation.keys, editor_id, network)
    made = insert(session, EditorNetwork).values(editor_id=editor_id, tag=name, seen_at=now)
    await session.execute(made.on_conflict_do_update(index_elements=["editor_id", "tag"], set_={"seen_at": now}))


async def forget(session: Session, editor_id: str) -> None:
    """Take every network of an editor for a stranger's."""
    await session.execute(delete(EditorNetwork).where(col(EditorNetwork.editor_id) == editor_id))


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many have not been used for so long that they are strangers' again."""
    over = col(EditorNetwork.seen_at) <= installation.clock.now() - LIFE
    return (await session.exec(select(func.count()).select_from(EditorNetwork).where(over))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete those; give how many."""
    over = col(EditorNetwork.seen_at) <= installation.clock.now() - LIFE
    return rows_of(await session.execute(delete(EditorNetwork).where(over)))
