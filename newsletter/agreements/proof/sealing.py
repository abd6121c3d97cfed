"""What of an agreement and its events is sealed and chained, in one form that is the same on every database.

A seal is an HMAC under a key that is not in the database, so an edit or a planted row is found even before it is
chained. A leaf is an HMAC under the agreement's own random salt: it proves the event as long as the agreement is there,
and says nothing once the salt is gone. Both are over the same content.

What the agreement holds is in each of its events, by its hash. The subscription is in every event since it was given,
so that an agreement can't be moved to somebody else.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from operator import itemgetter
from typing import Any

from newsletter.agreements.tables import EventKind
from newsletter.chain.rules import compact
from newsletter.tokens import Keyring

_AGREEMENT = "agreement-seal"
_EVENT = "agreement-event-seal"
_BLINDING = "agreement-blinding"
BEFORE_GIVEN = frozenset({EventKind.REQUESTED, EventKind.CONFIRMATION_SENT})
# The order is part of the form: add at the end, and raise the agreement's schema version.
AGREED = (
    "id",
    "newsletter_id",
    "principal",
    "notice_hash",
    "form_hash",
    "control_label",
    "witnessed",
    "jurisdiction",
    "gdpr_basis",
    "marketing_basis",
    "collection",
    "schema_version",
    "terms_hash",
    "sale_reference",
    "opt_out_shown",
    "source",
    "evidence_hash",
)


_AGREED: Callable[[Mapping[str, Any]], tuple[Any, ...]] = itemgetter(*AGREED)


def agreed(agreement: Mapping[str, Any]) -> str:
    """Give the content of an agreement: all that never changes."""
    return agreed_of(_AGREED(agreement))


def agreed_of(values: Sequence[Any]) -> str:
    """Give the same from the values of AGREED, in that order."""
    return compact(values)


def happened(event: Mapping[str, Any], agreed_hash: str, subscription_id: str | None) -> str:
    """Give the content of an event of the agreement with that hash, which belongs to that subscription."""
    kind = event["kind"]
    return compact(
        (
            event["agreement_id"],
            event["id"],
            kind,
            event["at"].astimezone(UTC).isoformat(timespec="microseconds"),
            event["actor"],
            event["channel"],
            event["source_page"],
            event["token_hash"],
            event["detail"],
            None if kind in BEFORE_GIVEN else subscription_id,
            agreed_hash,
        )
    )


def hash_of(content: str) -> str:
    """Give the SHA-256 of a content, in hex."""
    return hashlib.sha256(content.encode()).hexdigest()


def seal_agreement(keys: Keyring, content: str) -> str:
    """Give the seal of an agreement's content."""
    return keys.seal(_AGREEMENT, content)


def is_sealed_agreement(keys: Keyring, content: str, seal: str) -> bool:
    """Say whether an agreement is as we wrote it."""
    return keys.is_sealed(_AGREEMENT, content, seal)


def seal_event(keys: Keyring, content: str) -> str:
    """Give the seal of an event's content."""
    return keys.seal(_EVENT, content)


def is_sealed_event(keys: Keyring, content: str, seal: str) -> bool:
    """Say whether an event is as we wrote it."""
    return keys.is_sealed(_EVENT, content, seal)


def seal_blinding(keys: Keyring, newsletter_id: str, numbers: str) -> str:
    """Give the seal of an erasure that names those numbers of a newsletter's chain."""
    return keys.seal(_BLINDING, compact([newsletter_id, numbers]))


def is_sealed_blinding(keys: Keyring, newsletter_id: str, numbers: str, seal: str) -> bool:
    """Say whether an erasure is one of ours."""
    return keys.is_sealed(_BLINDING, compact([newsletter_id, numbers]), seal)


def leaf(salt: str, content: str) -> str:
    """Give the leaf that stands for an event in the chain."""
    return hmac.digest(salt.encode(), content.encode(), "sha256").hex()
