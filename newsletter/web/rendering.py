"""Templates, and how they speak: sentences, times and numbers in the language that one rendering is in."""

import hashlib
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from babel.dates import format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined

from newsletter import language as languages

_language: ContextVar[str] = ContextVar("language", default=languages.DEFAULT)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("newsletter"), autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"]
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the i18n extension adds it
        lambda text: languages.catalogue(_language.get()).gettext(text),
        lambda one, many, number: languages.catalogue(_language.get()).ngettext(one, many, number),
        newstyle=True,
    )
    environment.globals |= {"static": static, "format_datetime": _show_datetime, "format_number": _show_number}
    return environment


@cache
def static(path: str) -> str:
    """Give the address of a file in `static/`, which changes with its content, so that it may be cached for ever."""
    content = (resources.files("newsletter") / "static" / path).read_bytes()
    return f"/static/{path}?v={hashlib.sha256(content).hexdigest()[:12]}"


def _show_datetime(moment: datetime) -> str:
    return show_datetime(moment, _language.get())


def show_datetime(moment: datetime, language: str) -> str:
    """Give a time of UTC as it is written in `language`."""
    day = "d MMM y" if language == languages.DEFAULT else "d. MMM y"
    return format_datetime(moment, f"{day}, HH:mm 'UTC'", locale=language)


def _show_number(number: float) -> str:
    return format_decimal(number, locale=_language.get())


def render(template: str, language: str, **context: Any) -> str:
    """Give a template's text in `language`."""
    token = _language.set(language)
    try:
        return _environment().get_template(template).render(language=language, **context)
    finally:
        _language.reset(token)
