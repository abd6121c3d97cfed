"""Everything a reader is told has its words in bokmål and nynorsk, with the same placeholders."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

import newsletter
from newsletter.editors.passwords.hashing import Busy
from newsletter.editors.signing_in.limits import TooManyTries
from newsletter.editors.signing_in.recovery import LinkOver
from newsletter.errors import Conflict, InvalidInput, NewsletterError, NotAllowed, NotFound, TooMany
from newsletter.language import LANGUAGES, translator
from newsletter.signup.actions import LinkExpired
from newsletter.web.error_answers import _SENTENCES

PACKAGE = Path(newsletter.__file__).parent
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")


@cache
def catalogue(language: str) -> Catalog:
    """Give a catalogue as it stands in its file."""
    with (PACKAGE / "locales" / language / "LC_MESSAGES" / "newsletter.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def sentences(message_id: object) -> tuple[str, ...]:
    """Give the one sentence of a message, or both where it has a plural."""
    return tuple(message_id) if isinstance(message_id, list | tuple) else (str(message_id),)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_has_a_translation(language: str) -> None:
    entries = [entry for entry in catalogue(language) if entry.id]
    assert len(entries) > 100
    assert [entry.id for entry in entries if not all(sentences(entry.string)) or entry.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_hold_the_placeholders_of_the_original(language: str) -> None:
    differing = [
        entry.id
        for entry in catalogue(language)
        if entry.id
        for said in sentences(entry.string)
        if not any(sorted(PLACEHOLDER.findall(said)) == sorted(PLACEHOLDER.findall(one)) for one in sentences(entry.id))
    ]
    assert differing == []


def spoken_in_templates() -> Iterator[str]:
    """Give every sentence in `_(...)` of a template."""
    extensions = {"extensions": "jinja2.ext.i18n", "silent": "false"}
    for file in sorted((PACKAGE / "templates").rglob("*.html")):
        with file.open("rb") as source:
            for _line, _function, message, _comments in babel_extract(
                source, ("_", "gettext", "ngettext"), [], extensions
            ):
                yield from (part for part in sentences(message) if part and part != "None")


# What strangers and readers may meet. The console's own errors are for editors, and in English.
PUBLIC = (
    "addresses.py",
    "web/error_answers.py",
    "web/forms.py",
    "limits/door.py",
    "signup/rules.py",
    "signup/actions.py",
    "signup/pages.py",
    "signup/notice_shown.py",
    "unsubscribe/actions.py",
    "editors/passwords/rules.py",
    "editors/signing_in/actions.py",
    "editors/signing_in/recovery.py",
    "editors/signing_in/second_factor.py",
)


def texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    """Give those of the expressions that are plain text."""
    return (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def spoken_in_code() -> Iterator[str]:
    """Give every sentence that is said by `say("...")`."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                yield from texts(node.args)


def public_errors() -> Iterator[str]:
    """Give every sentence and title of the errors of the public pages."""
    for name in PUBLIC:
        for node in ast.walk(ast.parse((PACKAGE / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                yield from texts(node.exc.args)
            if isinstance(node, ast.Assign):
                yield from (said for said in texts([node.value]) if said.endswith(".") and " " in said)
    yield from _SENTENCES.values()
    titled = (
        NewsletterError,
        InvalidInput,
        NotFound,
        Conflict,
        TooMany,
        NotAllowed,
        LinkExpired,
        Busy,
        TooManyTries,
        LinkOver,
    )
    yield from (error.title for error in titled)


@pytest.mark.parametrize("language", TRANSLATED)
def test_whatever_is_said_is_in_the_catalogue(language: str) -> None:
    known = {part for entry in catalogue(language) for part in sentences(entry.id)}
    assert sorted({*spoken_in_templates(), *spoken_in_code(), *public_errors()} - known) == []


def test_english_is_said_as_it_is_written() -> None:
    assert translator("en")("Unsubscribe") == "Unsubscribe"
    assert translator("tlh")("Unsubscribe") == "Unsubscribe"


def test_norwegian_is_said_in_norwegian() -> None:
    assert translator("nb")("Unsubscribe") == "Meld meg av"
    assert translator("nn")("Unsubscribe") != "Unsubscribe"
