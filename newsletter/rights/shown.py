"""What is held about a person in plain words, in their language: for their page, its printed copy, and an editor's eye.

Everything here is read from a `Holding`; templates put it on paper (`rights/_held.html`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from newsletter.agreements import notices
from newsletter.agreements.tables import Basis, EventKind, MarketingBasis
from newsletter.agreements.tags import HeldTag
from newsletter.agreements.tombstones import Kind
from newsletter.installation import Installation
from newsletter.language import LANGUAGES, Gettext, translator
from newsletter.newsletters.controller import responsible_for
from newsletter.rights.access import HeldAgreement, HeldRequest, HeldSubscription, HeldValue, Holding
from newsletter.signup.rules import FIELDS
from newsletter.subscribers.tables import MeasurementChoice, SubscriptionState
from newsletter.web import show_datetime

Row = Mapping[str, Any]
_LABELS: Mapping[str, Callable[[Gettext], str]] = {
    "email": lambda say: say("E-mail"),
    "given_name": lambda say: say("Given name"),
    "family_name": lambda say: say("Family name"),
    "title": lambda say: say("Title"),
    "employer": lambda say: say("Employer"),
}


def shown(installation: Installation, holding: Holding, language: str) -> dict[str, Any]:
    """Give everything held for a template, said in `language`."""
    say = translator(language)
    subscriber, names = holding.subscriber, {each.id: each.name for each in holding.newsletters}
    return {
        "at": holding.at,
        "email": _email(holding),
        "subscriber": subscriber is not None,
        "person": {name: (getattr(subscriber, name) if subscriber else None) or "" for name in (*FIELDS, "language")},
        "details": _details(subscriber, say) if subscriber else [],
        "language": LANGUAGES.get(subscriber.language, subscriber.language) if subscriber else "",
        "measurement_choice": measurement_choice(subscriber.measurement, say) if subscriber else "",
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
                "outcome": _outcome(issue.outcome, say),
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


def _details(person: Any, say: Gettext) -> Sequence[Row]:
    return [
        {"label": label(say), "value": value} for field, label in _LABELS.items() if (value := getattr(person, field))
    ]


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
        "details": _details(held.request, say),
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
    return {**_agreement(held, say), "collection": _collection(held.agreement.collection, say), "data": data}


def _collection(way: str, say: Gettext) -> str:
    return {
        "form": say("on our signup page"),
        "api": say("on a form elsewhere, over our API"),
        "import": say("taken over from elsewhere"),
    }.get(way, way)


def _agreement(held: HeldAgreement, say: Gettext) -> Row:
    agreement = held.agreement
    return {
        "id": agreement.id,
        "label": agreement.control_label,
        "notice_html": notices.as_html(held.notice.text),
        "gdpr_basis": _gdpr(agreement.gdpr_basis, say),
        "marketing_basis": _marketing(agreement.marketing_basis, say),
        "source": agreement.source or "",
        "begun_at": held.events[0].at if held.events else held.notice.created_at,
        "events": [
            {
                "at": event.at,
                "what": _what(event.kind, say),
                "who": _who(event.actor, say),
                "where": event.source_page or "",
            }
            for event in held.events
        ],
    }


def _gdpr(basis: str, say: Gettext) -> str:
    return {
        Basis.CONSENT: say("your consent (article 6(1)(a))"),
        Basis.CONTRACT: say("the agreement you asked for (article 6(1)(b))"),
        Basis.LEGITIMATE_INTEREST: say("our legitimate interest (article 6(1)(f))"),
    }.get(Basis(basis), basis)


def _marketing(basis: str, say: Gettext) -> str:
    return {
        MarketingBasis.CONSENT: say("your consent"),
        MarketingBasis.EXISTING_CUSTOMER: say("you are our customer"),
        MarketingBasis.NOT_MARKETING: say("it is no marketing"),
    }.get(MarketingBasis(basis), basis)


def _what(kind: str, say: Gettext) -> str:
    return {
        EventKind.REQUESTED: say("asked for"),
        EventKind.CONFIRMATION_SENT: say("the question was mailed"),
        EventKind.GIVEN: say("confirmed"),
        EventKind.IMPORTED: say("taken over from elsewhere"),
        EventKind.REFUSED: say("refused"),
        EventKind.NOTICE_SENT: say("a changed notice was mailed"),
        EventKind.REMINDED: say("reminded"),
        EventKind.RENEWED: say("renewed"),
        EventKind.RECTIFIED: say("corrected"),
        EventKind.RESTRICTED: say("restricted"),
        EventKind.UNRESTRICTED: say("restriction lifted"),
        EventKind.WITHDRAWN: say("withdrawn"),
        EventKind.OBJECTED: say("objected"),
        EventKind.EXPIRED: say("expired"),
        EventKind.BOUNCED_DEAD: say("the address was found dead"),
        EventKind.COMPLAINED: say("complained"),
    }.get(EventKind(kind), kind)


def _who(actor: str, say: Gettext) -> str:
    return {
        "subject": say("by yourself"),
        "system": say("by our system"),
        "editor": say("by one of us"),
    }.get(actor, say("by a program of ours"))


def _outcome(outcome: str | None, say: Gettext) -> str:
    return {
        "delivered": say("delivered"),
        "refused": say("refused by the mail server"),
        "deferred": say("put off by the mail server"),
        "in_doubt": say("in doubt"),
    }.get(outcome or "", say("not sent"))


def _tag(tag: HeldTag, names: Mapping[str, str], say: Gettext) -> Row:
    what = {
        "receipts": say("a receipt that an agreement has ended"),
        "suppressions": say("a note that no import may bring you back"),
        "tombstones": say("a note that what you decided holds in backups, too"),
    }.get(tag.purpose, tag.purpose)
    return {
        "what": what,
        "kind": _decided(tag.kind, say) if tag.purpose == "tombstones" else "",
        "since": tag.since,
        "until": tag.until,
        "newsletter": names.get(tag.newsletter_id or "", ""),
    }


def _decided(kind: str, say: Gettext) -> str:
    return {
        Kind.PERSON: say("deleted"),
        Kind.SUBSCRIPTION: say("withdrawn"),
        Kind.OBJECTION: say("objected"),
        Kind.RESTRICTION: say("restricted"),
        Kind.UNRESTRICTION: say("restriction lifted"),
        Kind.MEASUREMENT_REFUSED: say("not measured"),
        Kind.MEASUREMENT_ALLOWED: say("measured again"),
    }.get(Kind(kind), kind)


def _value(held: HeldValue, language: str, say: Gettext) -> str:
    """Say a value in words where it is kept as a code."""
    value = held.value
    if isinstance(value, datetime):
        return show_datetime(value, language)
    if held.column == "language":
        return str(LANGUAGES.get(value, value))
    if held.column == "measurement":
        return measurement_choice(value, say)
    if held.column == "detail" and value in _LABELS:
        return _LABELS[value](say)
    return str(value)


def measurement_choice(choice: str, say: Gettext) -> str:
    """Say what somebody has chosen about measurement."""
    return {
        MeasurementChoice.ALLOWED: say("you may be measured"),
        MeasurementChoice.REFUSED: say("not measured"),
    }.get(MeasurementChoice(choice), say("you have not chosen"))


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
