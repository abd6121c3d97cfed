"""The standing sentences of an issue's footer, in the languages a newsletter may have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """The footer in one language; `reason` holds {newsletter}."""

    reason: str
    unsubscribe: str
    my_page: str
    privacy: str
    organisation_number: str
    contact: str


BOKMAAL = Wording(
    reason="Du får denne e-posten fordi du abonnerer på {newsletter}.",
    unsubscribe="Meld deg av",
    my_page="Min side",
    privacy="Slik behandler vi opplysningene dine",
    organisation_number="Organisasjonsnummer",
    contact="Kontakt",
)
NYNORSK = Wording(
    reason="Du får denne e-posten fordi du abonnerer på {newsletter}.",
    unsubscribe="Meld deg av",
    my_page="Mi side",
    privacy="Slik handsamar vi opplysningane dine",
    organisation_number="Organisasjonsnummer",
    contact="Kontakt",
)
ENGLISH = Wording(
    reason="You receive this e-mail because you subscribe to {newsletter}.",
    unsubscribe="Unsubscribe",
    my_page="My page",
    privacy="How we treat your data",
    organisation_number="Organisation number",
    contact="Contact",
)
_WORDINGS = {"nb": BOKMAAL, "no": BOKMAAL, "nn": NYNORSK}


def wording_for(language: str) -> Wording:
    """Return the sentences for a language tag such as "nb" or "nn-NO"; English where there are none."""
    return _WORDINGS.get(language.lower().partition("-")[0], ENGLISH)
