"""What is held about a person in plain words, in their language: for their page, its printed copy, and an editor's eye.

Everything here is read from a `Holding`; templates put it on paper (`rights/my/_held.html`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.traces.tags import HeldTag
from newsletter.installation import Installation
from newsletter.language import LANGUAGES, Gettext, translator
from newsletter.newsletters.controller import responsible_for
from newsletter.rights.holding import HeldAgreement, HeldRequest, HeldSubscription, HeldValue, Holding
from newsletter.rights.my import words
from newsletter.signup.labels import LABELS, details
from newsletter.signup.rules import FIELDS
from newsletter.subscribers.tables import SubscriptionState
from newsletter.web import show_datetime

Row = Mapping[str, Any]


def shown(installation: Installation, holding: Holding, language: str) -> dict[str, Any]:
    """Give everything held for a template, said in `language`."""
    say = translator(language)
    subscriber, names = holding.subscriber, {each.id: each.name for each in holding.newsletters}
    return {
        "at": holding.at,
        "email": _email(holding),
        "subscriber": subscriber is not None,
        "person": {name: (getattr(subscriber, name) if subscriber else None) or "" for name in (*FIELDS, "language")},
        "details": details(subscriber, say) if subscriber else [],
        "language": LANGUAGES.get(subscriber.language, subscriber.language) if subscriber else "",
        "measurement_choice": words.measurement_choice(subscriber.measurement, say) if subscriber else "",
        "measurement": subscriber.measurement if subscriber else "",
        "restricted_at": subscriber.restricted_at if subscriber else None,
        "subscriptions": [_subscription(held, say) for held in holding.subscriptions],
        "active": sum(held.subscription.state == SubscriptionState.ACTIVE for held in holding.subscriptions),
        "requests": [_request(held, say) for held in holding.requests],
        "issues": [
            {
                "newsletter": issue.newsletter,
                "number": issue.number,
                "subject": issue.subject,
                "began_at": issue.began_at,
                "outcome": words.outcome(issue.outcome, say),
            }
            for issue in holding.issues
        ],
        "tags": [_tag(tag, names, say) for tag in holding.tags],
        "values": [
            {
                "value": _value(value, language, say),
                "category": say(value.declared.category),
                "purpose": say(value.declared.purpose),
                "retention": say(value.declared.retention),
            }
            for value in holding.values
        ],
        "companies": _companies(installation, holding),
    }


def _email(holding: Holding) -> str:
    if holding.subscriber is not None:
        return holding.subscriber.email
    asked = (held.request.email for held in holding.requests if held.request.email)
    return next(asked, holding.canonical)


def _subscription(held: HeldSubscription, say: Gettext) -> Row:
    return {
        "id": held.subscription.id,
        "name": held.newsletter.name,
        "state": held.subscription.state,
        "since": held.subscription.created_at,
        "ended_at": held.subscription.ended_at,
        "agreements": [_agreement(each, say) for each in held.agreements],
    }


def _request(held: HeldRequest, say: Gettext) -> Row:
    return {
        "name": held.newsletter.name,
        "asked_at": held.request.requested_at,
        "until": held.request.expires_at,
        "details": details(held.request, say),
        "agreements": [_agreement(each, say) for each in held.agreements],
    }


def agreement_shown(held: HeldAgreement, language: str, terms: Mapping[str, Any]) -> Row:
    """Give one agreement with the terms of its time for a template, said in `language`."""
    say = translator(language)
    kept = {(one["category"], one["purpose"], one["retention"], one["optional"]) for one in terms.get("data", ())}
    data = [
        {"category": say(category), "purpose": say(purpose), "retention": say(retention), "optional": optional}
        for category, purpose, retention, optional in sorted(kept)
    ]
    return {**_agreement(held, say), "collection": words.collection(held.agreement.collection, say), "data": data}


def _agreement(held: HeldAgreement, say: Gettext) -> Row:
    agreement = held.agreement
    return {
        "id": agreement.id,
        "label": agreement.control_label,
        "notice_html": notices.as_html(held.notice.text),
        "gdpr_basis": words.gdpr_basis(agreement.gdpr_basis, say),
        "marketing_basis": words.marketing_basis(agreement.marketing_basis, say),
        "source": agreement.source or "",
        "begun_at": held.events[0].at if held.events else held.notice.created_at,
        "events": [
            {
                "at": event.at,
                "what": words.event(event.kind, say),
                "who": words.actor(event.actor, say),
                "where": event.source_page or "",
            }
            for event in held.events
        ],
    }


def _tag(tag: HeldTag, names: Mapping[str, str], say: Gettext) -> Row:
    return {
        "what": words.kept(tag.purpose, say),
        "kind": words.decision(tag.kind, say) if tag.purpose == "tombstones" else "",
        "since": tag.since,
        "until": tag.until,
        "newsletter": names.get(tag.newsletter_id or "", ""),
    }


def _value(held: HeldValue, language: str, say: Gettext) -> str:
    """Say a value in words where it is kept as a code."""
    value = held.value
    if isinstance(value, datetime):
        return show_datetime(value, language)
    if held.column == "language":
        return str(LANGUAGES.get(value, value))
    if held.column == "measurement":
        return words.measurement_choice(value, say)
    if held.column == "detail" and value in LABELS:
        return LABELS[value](say)
    return str(value)


def _companies(installation: Installation, holding: Holding) -> Sequence[Row]:
    """Give who answers for the newsletters concerned, each company once."""
    found = {}
    for newsletter in holding.newsletters:
        company = responsible_for(installation.settings, newsletter)
        recipients = holding.processors.get(newsletter.id, ())
        found[company] = {
            "name": company.name,
            "organisation_number": company.organisation_number,
            "address": company.address,
            "contact": company.contact,
            "data_protection_officer": company.data_protection_officer,
            "recipients": [{"name": one.name, "purpose": one.purpose, "country": one.country} for one in recipients],
        }
    return list(found.values())
