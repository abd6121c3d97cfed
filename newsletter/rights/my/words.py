"""What is kept as a code, said in a reader's words."""

from newsletter.agreements.tables import Basis, EventKind, MarketingBasis
from newsletter.agreements.traces.tombstones import Kind
from newsletter.language import Gettext
from newsletter.subscribers.tables import MeasurementChoice


def collection(way: str, say: Gettext) -> str:
    """Say where somebody agreed."""
    return {
        "form": say("on our signup page"),
        "api": say("on a form elsewhere, over our API"),
        "import": say("taken over from elsewhere"),
    }.get(way, way)


def gdpr_basis(basis: str, say: Gettext) -> str:
    """Say on which ground of the GDPR something rests."""
    return {
        Basis.CONSENT: say("your consent (article 6(1)(a))"),
        Basis.CONTRACT: say("the agreement you asked for (article 6(1)(b))"),
        Basis.LEGITIMATE_INTEREST: say("our legitimate interest (article 6(1)(f))"),
    }.get(Basis(basis), basis)


def marketing_basis(basis: str, say: Gettext) -> str:
    """Say on which ground of marketing law something rests."""
    return {
        MarketingBasis.CONSENT: say("your consent"),
        MarketingBasis.EXISTING_CUSTOMER: say("you are our customer"),
        MarketingBasis.NOT_MARKETING: say("it is no marketing"),
    }.get(MarketingBasis(basis), basis)


def event(kind: str, say: Gettext) -> str:
    """Say what has happened to an agreement."""
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


def actor(who: str, say: Gettext) -> str:
    """Say who did it."""
    return {
        "subject": say("by yourself"),
        "system": say("by our system"),
        "editor": say("by one of us"),
    }.get(who, say("by a program of ours"))


def outcome(became: str | None, say: Gettext) -> str:
    """Say what became of an issue that was for them."""
    return {
        "delivered": say("delivered"),
        "refused": say("refused by the mail server"),
        "deferred": say("put off by the mail server"),
        "in_doubt": say("in doubt"),
    }.get(became or "", say("not sent"))


def kept(purpose: str, say: Gettext) -> str:
    """Say what a tag is kept for."""
    return {
        "receipts": say("a receipt that an agreement has ended"),
        "suppressions": say("a note that no import may bring you back"),
        "limits": say("a count of our last letters to you, so that nobody can flood your mailbox with more"),
        "tombstones": say("a note that what you decided holds in backups, too"),
    }.get(purpose, purpose)


def decision(kind: str, say: Gettext) -> str:
    """Say what a tombstone keeps."""
    return {
        Kind.PERSON: say("deleted"),
        Kind.SUBSCRIPTION: say("withdrawn"),
        Kind.OBJECTION: say("objected"),
        Kind.RESTRICTION: say("restricted"),
        Kind.UNRESTRICTION: say("restriction lifted"),
        Kind.MEASUREMENT_REFUSED: say("not measured"),
        Kind.MEASUREMENT_ALLOWED: say("measured again"),
    }.get(Kind(kind), kind)


def measurement_choice(choice: str, say: Gettext) -> str:
    """Say what somebody has chosen about measurement."""
    return {
        MeasurementChoice.ALLOWED: say("you may be measured"),
        MeasurementChoice.REFUSED: say("not measured"),
    }.get(MeasurementChoice(choice), say("you have not chosen"))
