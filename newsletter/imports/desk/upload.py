"""Taking in a large file from a form: it goes to its place as it arrives, and never into memory as a whole.

The console's protection against forged forms reads a whole form before it looks at it. So here the same token is
checked by hand, and it comes first in the form: not a byte of a file is taken before it was right.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from litestar.exceptions import PermissionDeniedException
from multipart import MultipartSegment, ParserError, PushMultipartParser  # type: ignore[import-untyped]  # no types

from newsletter.editors.signing_in import forms
from newsletter.editors.signing_in.forms import FIELD
from newsletter.errors import InvalidInput
from newsletter.imports import staging
from newsletter.imports.staging import Staged
from newsletter.web import UnsupportedMediaType, WebRequest, installation_of
from newsletter.web.forms import refuse_fields

LARGEST = 300 * 1024 * 1024
_LONGEST_FIELD = 1000
_BROKEN = "The form could not be read; please send it again."
_NO_FILE = "Please choose a file."


@dataclass(slots=True)
class Upload:
    """What a form held: its fields, the file in its place and its name, and the hash of the file that proves it."""

    fields: dict[str, str] = field(default_factory=dict)
    staged: Staged | None = None
    file_name: str = ""
    evidence_hash: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    file_name: str | None


async def take(request: WebRequest) -> Upload:
    """Take a form with the file `file`, and perhaps `evidence`, of which only the hash is kept.

    Raises PermissionDeniedException for a form that is not ours, InvalidInput for one that can't be read or holds no
    table; then nothing of it is left.
    """
    kind, options = request.content_type
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise UnsupportedMediaType("Please send this as a form.")
    upload = Upload()
    try:
        events = _events(request, str(options["boundary"]))
        async for event in events:
            assert isinstance(event, _Part)
            await _take_part(request, upload, event, events)
    except BaseException as error:
        if upload.staged:
            staging.discard(installation_of(request), upload.staged.import_id)
        if isinstance(error, ParserError):
            raise InvalidInput(_BROKEN, {"file": _BROKEN}) from None
        raise
    if FIELD not in upload.fields:
        raise PermissionDeniedException
    if upload.staged is None:
        raise InvalidInput(_NO_FILE, {"file": _NO_FILE})
    return upload


async def _take_part(request: WebRequest, upload: Upload, part: _Part, events: AsyncIterator["_Part | bytes"]) -> None:
    content = _content(events)
    if part.name != FIELD and FIELD not in upload.fields:
        raise PermissionDeniedException
    if part.file_name is None:
        refuse_fields([part.name], ("preset", "evidence"))
        upload.fields[part.name] = (await _gathered(content)).decode("utf-8", "replace")
        if part.name == FIELD:
            forms.check(request, upload.fields[FIELD])
        return
    if part.name == "file" and part.file_name and upload.staged is None:
        upload.file_name = part.file_name
        upload.staged = await staging.receive(installation_of(request), content)
    elif part.name == "evidence" and part.file_name:
        upload.evidence_hash = await _hash(content)
    async for _ in content:
        pass


async def _events(request: WebRequest, boundary: str) -> AsyncIterator["_Part | bytes"]:
    """Give each part, its content in pieces, and an empty piece at its end."""
    with PushMultipartParser(boundary, max_segment_count=20) as parser:
        async for chunk in request.stream():
            if parser.closed:
                return
            for event in parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    yield _Part(event.name, event.filename)
                else:
                    yield bytes(event) if event else b""


async def _content(events: AsyncIterator["_Part | bytes"]) -> AsyncIterator[bytes]:
    async for event in events:
        if not event:
            return
        assert isinstance(event, bytes)
        yield event


async def _gathered(content: AsyncIterator[bytes]) -> bytes:
    text = b""
    async for chunk in content:
        text += chunk
        if len(text) > _LONGEST_FIELD:
            raise InvalidInput(_BROKEN, {"file": _BROKEN})
    return text


async def _hash(content: AsyncIterator[bytes]) -> str:
    digest, size = hashlib.sha256(), 0
    async for chunk in content:
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest() if size else ""
