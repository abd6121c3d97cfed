"""Making API keys and revoking them. A key is a random secret, of which the hash alone is stored (RULES H5)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import col, select

from newsletter.clock import Clock
from newsletter.database import Session, rows_of
from newsletter.editors.audit.retention import MONTH
from newsletter.editors.keys import belonging
from newsletter.editors.keys.rules import Scope, Wanted, read_name, read_scopes
from newsletter.editors.tables import ApiKey, ApiKeyNewsletter
from newsletter.errors import InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.tokens import fingerprint, new_id, new_secret

_PREFIX = "nl_"


@dataclass(frozen=True, slots=True)
class Known:
    """A key as it is listed: what is stored of it, the names of its newsletters, and how it is."""

    key: ApiKey
    newsletters: Sequence[str]
    state: str


async def create(session: Session, clock: Clock, name: str, scopes: Sequence[str] = ()) -> str:
    """Make a key with the given scopes, or with all; give the key, which is shown this once. Raises InvalidInput."""
    return (await create_with_id(session, clock, name, scopes))[0]


async def create_with_id(session: Session, clock: Clock, name: str, scopes: Sequence[str] = ()) -> tuple[str, str]:
    """Make a key likewise; give it, and the id under which the audit trail names it. Raises InvalidInput."""
    return await make(session, clock, Wanted(name, scopes or [scope.value for scope in Scope]))


async def make(session: Session, clock: Clock, wanted: Wanted) -> tuple[str, str]:
    """Make a key; give it, and its id. Raises InvalidInput."""
    key, key_id = _PREFIX + new_secret(), new_id()
    session.add(
        ApiKey(
            id=key_id,
            name=read_name(wanted.name),
            key_hash=fingerprint(key),
            scopes=" ".join(read_scopes(wanted.scopes)),
            every_newsletter=wanted.newsletters is None,
            created_at=clock.now(),
            expires_at=wanted.expires_at,
        )
    )
    await session.flush()
    for newsletter_id in wanted.newsletters or ():
        session.add(ApiKeyNewsletter(key_id=key_id, newsletter_id=newsletter_id))
    await session.flush()
    return key, key_id


async def revoke(session: Session, clock: Clock, key_id: str) -> None:
    """Let a key open nothing any more. Its name stays as long as the audit trail tells of it. Raises NotFound."""
    key = await session.get(ApiKey, key_id, with_for_update=True)
    if key is None or key.revoked_at is not None:
        raise NotFound("There is no such API key, or it was revoked before.")
    # No hash is that short.
    key.key_hash, key.revoked_at = key.id, clock.now()
    session.add(key)


async def ids_of(session: Session, slugs: Sequence[str]) -> list[str] | None:
    """Give the ids of newsletters by their short names; None for none, which means every one. Raises InvalidInput."""
    known = {slug: newsletter_id for newsletter_id, slug, _name in await belonging.newsletters(session)}
    if unknown := sorted(set(slugs) - set(known)):
        raise InvalidInput(f"There is no newsletter {', '.join(unknown)}.")
    return [known[slug] for slug in dict.fromkeys(slugs)] or None


async def listed(session: Session, installation: Installation) -> Sequence[Known]:
    """Give every key, those that are good first, and then the newest."""
    names = {newsletter_id: name for newsletter_id, _slug, name in await belonging.newsletters(session)}
    bound: defaultdict[str, list[str]] = defaultdict(list)
    for each in (await session.exec(select(ApiKeyNewsletter))).all():
        bound[each.key_id].append(names[each.newsletter_id])
    query = select(ApiKey).order_by(col(ApiKey.created_at).desc(), col(ApiKey.id))
    keys = [Known(key, sorted(bound[key.id]), _state(installation, key)) for key in (await session.exec(query)).all()]
    return sorted(keys, key=lambda known: known.state != "good")


def _state(installation: Installation, key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= installation.clock.now() else "good"


def _long_over(installation: Installation) -> ColumnElement[bool]:
    before = installation.clock.now() - installation.settings.retention_audit * MONTH
    return func.coalesce(col(ApiKey.revoked_at), col(ApiKey.expires_at)) < before


async def count_over(session: Session, installation: Installation) -> int:
    """Give how many keys ended so long ago that no entry of the audit trail can name them."""
    return (await session.exec(select(func.count()).select_from(ApiKey).where(_long_over(installation)))).one()


async def purge_over(session: Session, installation: Installation) -> int:
    """Delete those; give how many."""
    return rows_of(await session.execute(delete(ApiKey).where(_long_over(installation))))
