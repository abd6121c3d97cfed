"""An agreement as a file of its own: JSON-LD with the fields of ISO/IEC TS 27560, signed with Ed25519 (RULES A10).

The proof is the W3C's `eddsa-jcs-2022` (Data Integrity): it is over the canonical JSON, so how the file is laid out
does not matter, and it names its key as a did:key, so it verifies offline. Whether that key is ours, the well-known
address tells (docs/proof.md).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from newsletter.agreements.proof.record import Record, Recorded
from newsletter.agreements.proof.vocabulary import CONFORMS_TO, CONTEXT, LAWFUL_BASES, MARKETING_BASES, STATES
from newsletter.agreements.tables import EventKind
from newsletter.chain import signing
from newsletter.chain.rules import canonical
from newsletter.installation import Installation

WELL_KNOWN = "/.well-known/newsletter-keys.json"
MEDIA_TYPE = "application/ld+json"


def signed(installation: Installation, record: Record) -> bytes:
    """Give the signed record as a JSON file."""
    document = unsigned(installation, record)
    return json.dumps(document | {"proof": _proof(installation, document)}, ensure_ascii=False, indent=2).encode()


def unsigned(installation: Installation, record: Record) -> dict[str, Any]:
    """Give the record without its proof."""
    agreement = record.agreement
    return {
        "@context": CONTEXT,
        "id": f"urn:newsletter:agreement:{agreement.id}",
        "type": "ConsentRecord",
        "schema_version": str(agreement.schema_version),
        "conforms_to": CONFORMS_TO,
        "record_id": agreement.id,
        "pii_principal_id": agreement.principal,
        **({"pii_principal": {"email": record.subscriber.email}} if record.subscriber else {}),
        "notice": _notice(record),
        "processing": [_processing(record)],
        "party_identification": [_controller(record)],
        "events": [_event(each) for each in record.events],
        "evidence": {
            "chain": record.chain,
            "terms_hash": agreement.terms_hash,
            "source": agreement.source,
            "source_file_hash": agreement.evidence_hash,
            "public_keys": installation.url(WELL_KNOWN),
        },
    }


def _notice(record: Record) -> dict[str, Any]:
    agreement, notice = record.agreement, record.notice
    return {
        "id": f"urn:sha256:{notice.hash}",
        "language": notice.language,
        "jurisdiction": f"loc:{agreement.jurisdiction}",
        "form_wording_hash": agreement.form_hash,
        "control_label": agreement.control_label,
        "text": notice.text,
        "witnessed": agreement.witnessed,
    }


def _processing(record: Record) -> dict[str, Any]:
    agreement, terms = record.agreement, record.terms
    return {
        "service": record.newsletter.name,
        "purposes": terms.get("purposes", []),
        "lawful_basis": LAWFUL_BASES[agreement.gdpr_basis],  # type: ignore[index]  # read back from the database as text
        "marketing_basis": MARKETING_BASES[agreement.marketing_basis],  # type: ignore[index]  # read back from the database as text
        "sale_reference": agreement.sale_reference,
        "opt_out_shown": agreement.opt_out_shown,
        "collection_method": agreement.collection,
        "pii_information": [
            {
                "field": data["field"],
                "pii_type": data["category"],
                "purpose": data["purpose"],
                "optional": data["optional"],
                "retention_period": data["retention"],
            }
            for data in terms.get("data", [])
        ],
        "recipients": terms.get("recipients", []),
        "withdrawal_method": terms.get("withdrawal", {}),
    }


def _controller(record: Record) -> dict[str, Any]:
    controller = record.terms.get("controller", {})
    return {
        "party_role": "dpv:DataController",
        "party_name": controller.get("name", ""),
        "organisation_number": controller.get("organisation_number", ""),
        "party_address": controller.get("address", ""),
        "party_contact": controller.get("contact", ""),
        "data_protection_officer": controller.get("data_protection_officer", ""),
    }


def _event(recorded: Recorded) -> dict[str, Any]:
    event = recorded.event
    return {
        "id": f"urn:newsletter:event:{event.id}",
        "event_time": event.at.isoformat(),
        "event_type": event.kind,
        "event_state": STATES.get(EventKind(event.kind)),
        "entity_id": event.actor,
        "channel": event.channel,
        "source_page": event.source_page,
        "token_hash": event.token_hash,
        "detail": event.detail,
        "chain_number": event.position if recorded.entry_hash else None,
        "chain_hash": recorded.entry_hash,
        "as_written": recorded.is_proven,
    }


def _proof(installation: Installation, document: Mapping[str, Any]) -> dict[str, Any]:
    key = signing.own_keys(installation.keys)[0]
    did = signing.did_key(signing.public_bytes(key))
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": installation.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": f"{did}#{did.removeprefix('did:key:')}",
        "proofPurpose": "assertionMethod",
        "@context": document["@context"],
    }
    hashes = _digest(options) + _digest(document)
    return options | {"proofValue": signing.multibase(key.sign(hashes))}


def _digest(value: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(canonical(value).encode()).digest()
