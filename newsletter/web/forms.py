"""Forms, read safely: text and nothing else, in characters that a database keeps."""

from collections.abc import Mapping
from http import HTTPStatus

from litestar.exceptions import HTTPException

from newsletter.addresses import NOT_PRINTABLE
from newsletter.errors import InvalidInput, NewsletterError
from newsletter.web.pages import WebRequest

# No database of ours keeps the one; the other stands for bytes that were no text.
_UNREADABLE = ("\0", "\N{REPLACEMENT CHARACTER}")


async def read_form(request: WebRequest) -> dict[str, str]:
    """Read a form's text fields, urlencoded or multipart. Raises InvalidInput for anything else, Unstorable where a
    field's bytes aren't text.
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
    return values


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
