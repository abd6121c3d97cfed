"""The words of an exported record: the field names of ISO/IEC TS 27560, and the terms of the W3C's Data Privacy
Vocabulary (DPV 2) that they stand for.

The whole context stands in the record itself, so it can be read as linked data without fetching anything.
"""

from newsletter.agreements.tables import Basis, EventKind, MarketingBasis

CONFORMS_TO = "https://w3id.org/dpv/schema/dpv-27560"
CONTEXT = {
    "@version": 1.1,
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "legal-no": "https://w3id.org/dpv/legal/no#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "sec": "https://w3id.org/security#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "@vocab": "urn:newsletter:record#",
    "id": "@id",
    "type": "@type",
    "ConsentRecord": "dpv:ConsentRecord",
    "schema_version": "dct:hasVersion",
    "conforms_to": {"@id": "dct:conformsTo", "@type": "@id"},
    "record_id": "dct:identifier",
    "pii_principal_id": "dpv:hasIdentifier",
    "pii_principal": "dpv:hasDataSubject",
    "email": "foaf:mbox",
    "notice": "dpv:hasNotice",
    "language": "dct:language",
    "jurisdiction": {"@id": "dpv:hasJurisdiction", "@type": "@vocab"},
    "text": "dct:description",
    "control_label": "dct:title",
    "processing": "dpv:hasProcess",
    "purposes": "dpv:hasPurpose",
    "lawful_basis": {"@id": "dpv:hasLegalBasis", "@type": "@vocab"},
    "marketing_basis": {"@id": "dpv:hasLegalBasis", "@type": "@vocab"},
    "pii_information": "dpv:hasPersonalData",
    "pii_type": "dct:subject",
    "retention_period": "dpv:hasStorageCondition",
    "collection_method": "dpv:hasDataSource",
    "recipients": "dpv:hasRecipient",
    "withdrawal_method": "dpv:hasConsentControl",
    "party_identification": "dpv:hasEntity",
    "party_role": {"@id": "dpv:hasEntityRole", "@type": "@vocab"},
    "party_name": "dpv:hasName",
    "party_address": "dpv:hasAddress",
    "party_contact": "dpv:hasContact",
    "events": {"@id": "dpv:hasActivity", "@container": "@list"},
    "event_time": {"@id": "dct:date", "@type": "xsd:dateTime"},
    "event_type": "dct:type",
    "event_state": {"@id": "dpv:hasConsentStatus", "@type": "@vocab"},
    "entity_id": "prov:wasAssociatedWith",
    "DataIntegrityProof": "sec:DataIntegrityProof",
    "proof": {"@id": "sec:proof", "@type": "@id", "@container": "@graph"},
    "created": {"@id": "dct:created", "@type": "xsd:dateTime"},
    "cryptosuite": "sec:cryptosuite",
    "proofPurpose": {"@id": "sec:proofPurpose", "@type": "@vocab"},
    "assertionMethod": "sec:assertionMethod",
    "verificationMethod": {"@id": "sec:verificationMethod", "@type": "@id"},
    "proofValue": "sec:proofValue",
}
LAWFUL_BASES = {
    Basis.CONSENT: "eu-gdpr:A6-1-a",
    Basis.CONTRACT: "eu-gdpr:A6-1-b",
    Basis.LEGITIMATE_INTEREST: "eu-gdpr:A6-1-f",
}
MARKETING_BASES = {
    MarketingBasis.CONSENT: "dpv:Consent",
    MarketingBasis.EXISTING_CUSTOMER: "urn:newsletter:record#existing_customer",
    MarketingBasis.NOT_MARKETING: "urn:newsletter:record#not_marketing",
}
# What each event makes of the agreement; the others leave it as it is.
STATES = {
    EventKind.REQUESTED: "dpv:ConsentRequested",
    EventKind.CONFIRMATION_SENT: "dpv:ConsentRequested",
    EventKind.GIVEN: "dpv:ConsentGiven",
    EventKind.IMPORTED: "dpv:ConsentGiven",
    EventKind.RENEWED: "dpv:RenewedConsentGiven",
    EventKind.REFUSED: "dpv:ConsentRefused",
    EventKind.WITHDRAWN: "dpv:ConsentWithdrawn",
    EventKind.OBJECTED: "dpv:ConsentWithdrawn",
    EventKind.EXPIRED: "dpv:ConsentExpired",
    EventKind.BOUNCED_DEAD: "dpv:ConsentInvalidated",
    EventKind.COMPLAINED: "dpv:ConsentWithdrawn",
}
