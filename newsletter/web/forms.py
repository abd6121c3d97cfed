"""Forms, read safely: text and nothing else, in characters that a database keeps."""

from collections.abc import Collection, Mapping
from http import HTTPStatus

from litestar.exceptions import HTTPException

from newsletter.addresses import NOT_PRINTABLE
from newsletter.errors import InvalidInput, NewsletterError
from newsletter.web.inputs import told_unknown
from newsletter.web.pages import WebRequest

CSRF_FIELD = "_csrf_token"
# No database of ours keeps the one; the other stands for bytes that were no text.
_UNREADABLE = ("\0", "\N{REPLACEMENT CHARACTER}")


async def read_form(request: WebRequest, known: Collection[str] | None = None) -> dict[str, str]:
    """Read a form's text fields, urlencoded or multipart. Raises InvalidInput for anything else, Unstorable where a
    field's bytes aren't text.

    With `known`, the form is ours alone and acts by what is left out, too: another field is refused. A name that ends
    in a hyphen stands for all that begin so. The forms that other sites carry are read without: what their makers and
    browsers put in beside is passed over.
    """
    if request.content_type[0] not in ("application/x-www-form-urlencoded", "multipart/form-data", ""):
        raise UnsupportedMediaType("Please send this as a form.")
    try:
        form = await request.form()
    except (ValueError, HTTPException) as error:
        if isinstance(error, HTTPException) and error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        raise InvalidInput("The form could not be read; please send it again.") from error
    values = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    if any(mark in value for value in values.values() for mark in _UNREADABLE):
        raise Unstorable(values)
    if known is not None:
        refuse_fields(values, known)
    return values


def refuse_fields(given: Collection[str], known: Collection[str]) -> None:
    """Raise InvalidInput where a form has a field that is neither known nor the token of its page."""
    prefixes = tuple(name for name in known if name.endswith("-"))
    if wrong := told_unknown([name for name in given if not name.startswith(prefixes)], {*known, CSRF_FIELD}):
        raise InvalidInput(" ".join(f"{name}: {why}" for name, why in wrong.items()), wrong)


class Unstorable(InvalidInput):
    """A form holds characters that no database keeps; `values` is what it says without them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        wrong = {name: NOT_PRINTABLE for name, value in values.items() if any(mark in value for mark in _UNREADABLE)}
        super().__init__("The form holds a character that can't be stored; please type it anew.", wrong)
        self.values = {name: value.translate(dict.fromkeys(map(ord, _UNREADABLE))) for name, value in values.items()}


class UnsupportedMediaType(NewsletterError):
    """What was sent is of a kind we don't read here."""

    status = 415
    title = "Unsupported media type"
