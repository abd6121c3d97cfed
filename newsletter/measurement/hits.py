"""The pixel and the measured links in front of the app: when an issue has just left, they come by the thousand.

A hit here passes neither routes nor layers. It gets the answer that `pages` would give it, made beforehand, and leaves
no line in the log (promise P3). Whatever needs the database or a page is left to the app.
"""

from litestar.types import HTTPScope, Message

from newsletter.measurement.counting import Counting
from newsletter.measurement.links import Hit, read_click, read_open
from newsletter.measurement.pages import NEVER_KEPT, PIXEL
from newsletter.measurement.rules import JUDGED_BY, Verdict, judge
from newsletter.measurement.targets import Targets
from newsletter.tokens import InvalidToken, Keyring
from newsletter.web import SECURITY_HEADERS

_Headers = list[tuple[bytes, bytes]]
_OPEN, _CLICK = "/open/", "/click/"
_READING = ("GET", "HEAD")
_JUDGED_BY = {name.encode(): name for name in JUDGED_BY}


def _headers(own: dict[str, str]) -> _Headers:
    return [(name.encode(), value.encode()) for name, value in (SECURITY_HEADERS | NEVER_KEPT | own).items()]


def _start(status: int, headers: _Headers) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _body(content: bytes) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": False}


_PIXEL_START = _start(200, _headers({"content-type": "image/gif", "content-length": str(len(PIXEL))}))
_PIXEL_BODY, _NO_BODY = _body(PIXEL), _body(b"")
_LEADING_ON = _headers({"content-type": "text/plain; charset=utf-8", "content-length": "0"})


class Hits:
    """Answers and counts the hits that need nothing looked up."""

    def __init__(self, keys: Keyring, counting: Counting, targets: Targets) -> None:
        self._keys = keys
        self._counting = counting
        self._targets = targets

    def answer(self, scope: HTTPScope) -> tuple[Message, Message] | None:
        """Give the two messages that answer a hit, and count it where it is a GET; None for every other request."""
        path = scope["path"]
        if path.startswith(_OPEN):
            return self._open(scope, path[len(_OPEN) :])
        if path.startswith(_CLICK):
            return self._click(scope, path[len(_CLICK) :])
        return None

    def _open(self, scope: HTTPScope, file: str) -> tuple[Message, Message] | None:
        if scope["method"] not in _READING:
            return None
        try:
            hit = read_open(self._keys, file.removesuffix(".gif"))
        except InvalidToken:
            return None
        return _PIXEL_START, self._counted(scope, hit, _PIXEL_BODY)

    def _click(self, scope: HTTPScope, token: str) -> tuple[Message, Message] | None:
        if scope["method"] not in _READING:
            return None
        try:
            hit = read_click(self._keys, token)
        except InvalidToken:
            return None
        url = self._targets.kept(hit)
        if url is None:
            return None
        return _start(302, [(b"location", url), *_LEADING_ON]), self._counted(scope, hit, _NO_BODY)

    def _counted(self, scope: HTTPScope, hit: Hit, body: Message) -> Message:
        """Count a GET, never a HEAD (promise P5); give the body that the method gets."""
        if scope["method"] == "HEAD":
            return _NO_BODY
        told = {_JUDGED_BY[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _JUDGED_BY}
        self._counting.add(hit, judge(told) if told else Verdict.HUMAN)
        return body
