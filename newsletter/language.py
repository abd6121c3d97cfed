"""Languages: which one a page or a letter is in, and its words (gettext catalogues in `locales/`).

The catalogues are read from their .po files at the start, so there is nothing to compile.
"""

from collections.abc import Callable, Iterable
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"nb": "Norsk bokmål", "nn": "Norsk nynorsk", "en": "English"}
DEFAULT = "en"
Gettext = Callable[[str], str]


@cache
def catalogue(language: str) -> NullTranslations:
    """Give the words of `language`; English where there are none."""
    source = resources.files("newsletter") / "locales" / language / "LC_MESSAGES" / "newsletter.po"
    if language not in LANGUAGES or not source.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def translator(language: str) -> Gettext:
    """Give the function that says an English sentence in `language`."""
    return catalogue(language).gettext


def known(language: str | None) -> str | None:
    """Give our name of a language tag, or None where we don't have it; `no` is Norwegian bokmål."""
    tag = (language or "").strip().lower().replace("_", "-").partition("-")[0]
    tag = "nb" if tag == "no" else tag
    return tag if tag in LANGUAGES else None


def preferred(accept_language: str, offered: Iterable[str], otherwise: str) -> str:
    """Choose the offered language that an Accept-Language header likes best (RFC 9110 §12.5.4)."""
    offered = set(offered)
    wishes = []
    for wish in accept_language[:500].split(","):
        tag, _, parameters = wish.partition(";")
        name, _, quality = parameters.strip().partition("=")
        try:
            weight = float(quality) if name == "q" else 1.0
        except ValueError:
            weight = 0.0
        if weight > 0:
            wishes.append((weight, known(tag)))
    for _weight, tag_known in sorted(wishes, key=lambda wish: -wish[0]):
        if tag_known in offered and tag_known is not None:
            return tag_known
    return otherwise
