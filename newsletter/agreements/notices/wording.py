"""The notice a new newsletter begins with, in Norwegian and English, after a Norwegian company's privacy notice.

It says what is collected, why, on which ground, how long, who may see it, how reading is measured, and how to leave
(GDPR art. 13; RULES A5, D6). The company may replace it with its own words at any time.
"""

from dataclasses import dataclass

from newsletter.agreements.notices.actions import Wording


@dataclass(frozen=True, slots=True)
class Controller:
    """The company that answers for the data, as the notice names it."""

    name: str
    organisation_number: str = ""
    address: str = ""
    email: str = ""

    def described(self, number_word: str) -> str:
        """Give name, number and address in one run of words."""
        number = f"{number_word} {self.organisation_number}" if self.organisation_number else ""
        return ", ".join(part for part in (self.name, number, self.address, self.email) if part)


_LABELS = {
    "nb": "Ja, jeg vil ha nyhetsbrevet «{newsletter}» på e-post, slik erklæringen beskriver.",
    "nn": "Ja, eg vil ha nyheitsbrevet «{newsletter}» på e-post, slik fråsegna skildrar.",
    "en": "Yes, I want the newsletter “{newsletter}” by e-mail, as the notice describes.",
}

_TEXTS = {
    "nb": """\
**Hvem er ansvarlig?** {controller}.

**Hva lagrer vi, og hvorfor?** E-postadressen din, for å sende deg nyhetsbrevet «{newsletter}». Fornavn, etternavn,
tittel og arbeidsgiver er frivillig; oppgir du dem, bruker vi dem til å tiltale deg og til å kjenne leserne våre.
Vi lagrer også når og hvordan du ba om nyhetsbrevet og hva som sto her, så vi kan dokumentere avtalen.

**Hvilket grunnlag har vi?** Avtalen du inngår når du bekrefter fra postkassen din (personvernforordningen artikkel 6 nr. 1 b),
og samtykket ditt til å få nyhetsbrevet (markedsføringsloven § 15).

{measurement}

**Hvor lenge?** Til du melder deg av. Da slettes alt om deg med en gang. Bekrefter du ikke, slettes det etter {hours} timer.

**Hvem får se det?** Bare vi og de som drifter tjenesten for oss. Ingenting selges eller deles.

**Rettighetene dine.** Du kan melde deg av med ett klikk i hvert nyhetsbrev, protestere mot markedsføring, og be om innsyn,
retting, sletting, begrensning og en kopi. Skriv til {contact}. Du kan klage til Datatilsynet.
""",
    "nn": """\
**Kven er ansvarleg?** {controller}.

**Kva lagrar vi, og kvifor?** E-postadressa di, for å sende deg nyheitsbrevet «{newsletter}». Førenamn, etternamn,
tittel og arbeidsgjevar er friviljug; gjev du dei opp, brukar vi dei til å tiltale deg og til å kjenne lesarane våre.
Vi lagrar òg når og korleis du bad om nyheitsbrevet og kva som stod her, så vi kan dokumentere avtalen.

**Kva grunnlag har vi?** Avtalen du inngår når du stadfestar frå postkassa di (personvernforordninga artikkel 6 nr. 1 b),
og samtykket ditt til å få nyheitsbrevet (marknadsføringslova § 15).

{measurement}

**Kor lenge?** Til du melder deg av. Då blir alt om deg sletta med ein gong. Stadfestar du ikkje, blir det sletta etter {hours} timar.

**Kven får sjå det?** Berre vi og dei som driftar tenesta for oss. Ingenting blir selt eller delt.

**Rettane dine.** Du kan melde deg av med eitt klikk i kvart nyheitsbrev, protestere mot marknadsføring, og be om innsyn,
retting, sletting, avgrensing og ein kopi. Skriv til {contact}. Du kan klage til Datatilsynet.
""",
    "en": """\
**Who is responsible?** {controller}.

**What do we store, and why?** Your e-mail address, to send you the newsletter “{newsletter}”. Given name, family name,
title and employer are optional; if you give them, we use them to address you and to know our readers.
We also store when and how you asked for the newsletter and what was written here, so that we can show the agreement.

**On what ground?** The agreement you enter when you confirm from your mailbox (GDPR article 6(1)(b)),
and your consent to receiving the newsletter (the Norwegian Marketing Control Act section 15).

{measurement}

**For how long?** Until you unsubscribe. Then everything about you is deleted at once. If you don't confirm, it is deleted after {hours} hours.

**Who may see it?** We alone, and those who run the service for us. Nothing is sold or shared.

**Your rights.** You can unsubscribe with one click in every issue, object to marketing, and ask for access, correction,
erasure, restriction and a copy. Write to {contact}. You may complain to Datatilsynet, the Norwegian data protection authority.
""",
}
_MEASURED = {
    "nb": """\
**Måler vi lesing?** Vi teller hvor mange som åpner nyhetsbrevet og hvilke lenker som brukes, uten å vite hvem.
Ingen IP-adresser lagres, og tellingen kan ikke knyttes til deg.""",
    "nn": """\
**Måler vi lesing?** Vi tel kor mange som opnar nyheitsbrevet og kva lenkjer som blir brukte, utan å vite kven.
Ingen IP-adresser blir lagra, og teljinga kan ikkje knytast til deg.""",
    "en": """\
**Do we measure reading?** We count how many open the newsletter and which links are used, without knowing who.
No IP address is stored, and the count can't be linked to you.""",
}
_NOT_MEASURED = {
    "nb": "**Måler vi lesing?** Vi måler ikke lesing.",
    "nn": "**Måler vi lesing?** Vi måler ikkje lesing.",
    "en": "**Do we measure reading?** We do not measure reading.",
}
_NUMBER_WORDS = {"nb": "organisasjonsnummer", "nn": "organisasjonsnummer", "en": "organisation number"}


def first_notice(
    language: str, newsletter: str, controller: Controller, unconfirmed_hours: int, *, measured: bool
) -> Wording:
    """Give the wording a new newsletter begins with, in one of nb, nn, en. `measured` says whether reading is."""
    text = _TEXTS[language].format(
        controller=controller.described(_NUMBER_WORDS[language]),
        newsletter=newsletter,
        hours=unconfirmed_hours,
        measurement=(_MEASURED if measured else _NOT_MEASURED)[language],
        contact=controller.email or controller.name,
    )
    return Wording(language, _LABELS[language].format(newsletter=newsletter), text)
