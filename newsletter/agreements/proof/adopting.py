"""Taking the agreements of an earlier version, which were not sealed, into the chains: once.

That it was done is an entry of a chain of its own, which has heads like the others. From then on whatever is not sealed
was planted.
"""

from typing import Any

from sqlalchemy import bindparam, select, update

from newsletter.agreements.notices import chaining as notice_chaining
from newsletter.agreements.proof import sealing
from newsletter.agreements.tables import DUE, Agreement, AgreementEvent
from newsletter.chain import actions as chain
from newsletter.chain.heads_file import HeadsFile
from newsletter.chain.rules import canonical
from newsletter.database import Session, table_of
from newsletter.installation import Installation
from newsletter.tokens import new_id, new_nonce

CHAIN = "agreements"
_ADOPTED = "adopted"
_AGREEMENTS = table_of(Agreement)
_EVENTS = table_of(AgreementEvent)
_AT_ONCE = 2_000
_SEAL_AGREEMENT = (
    update(_AGREEMENTS)
    .where(_AGREEMENTS.c.id == bindparam("which"))
    .values(seal=bindparam("new_seal"), salt=bindparam("new_salt"), principal=bindparam("new_principal"))
)
_SEAL_EVENT = (
    update(_EVENTS)
    .where(_EVENTS.c.id == bindparam("which"))
    .values(seal=bindparam("new_seal"), newsletter_id=bindparam("in_newsletter"), position=bindparam("new_position"))
)


async def adopt(installation: Installation, file: HeadsFile) -> bool:
    """Seal what an earlier version wrote, where that was never done before; say whether it was done now."""
    if CHAIN in file.standing().newest:
        return False
    async with installation.database.read() as session:
        if (await chain.end(session, CHAIN)).number:
            return False
    async with installation.database.write() as session:
        await chain.lock(session, CHAIN)
        if (await chain.end(session, CHAIN)).number:
            return False  # Another worker was first.
        # The time makes the entry one of its kind: taken out, it can't come back by its being done once more.
        said = canonical({"at": installation.clock.now().isoformat()})
        await chain.append(session, installation, CHAIN, _ADOPTED, [None], said)
        await notice_chaining.adopt(session, installation)
        while await _adopt_agreements(session, installation):
            pass
    return True


async def _adopt_agreements(session: Session, installation: Installation) -> bool:
    query = select(_AGREEMENTS).where(_AGREEMENTS.c.seal == "").limit(_AT_ONCE)
    agreements = [dict(row) for row in (await session.execute(query)).mappings()]
    if not agreements:
        return False
    connection = await session.connection()
    by_id = {agreement["id"]: agreement | {"principal": new_id()} for agreement in agreements}
    sealed = [
        {
            "which": agreement_id,
            "new_seal": sealing.seal_agreement(installation.keys, sealing.agreed(agreement)),
            "new_salt": new_nonce().hex(),
            "new_principal": agreement["principal"],
        }
        for agreement_id, agreement in by_id.items()
    ]
    await connection.execute(_SEAL_AGREEMENT, sealed)
    events = select(_EVENTS).where(_EVENTS.c.agreement_id.in_(by_id), _EVENTS.c.seal == "")
    rows = (await session.execute(events)).mappings().all()
    if rows:
        await connection.execute(_SEAL_EVENT, [_event(installation, row, by_id[row["agreement_id"]]) for row in rows])
    return True


def _event(installation: Installation, event: Any, agreement: dict[str, Any]) -> dict[str, Any]:
    agreed = sealing.hash_of(sealing.agreed(agreement))
    content = sealing.happened(event, agreed, agreement["subscription_id"])
    return {
        "which": event["id"],
        "new_seal": sealing.seal_event(installation.keys, content),
        "in_newsletter": agreement["newsletter_id"],
        "new_position": None if agreement["subscription_id"] is None else DUE,
    }
