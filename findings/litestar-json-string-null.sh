#!/bin/sh
# Litestar 2.25.0 with msgspec 0.22.0 (PyPI): in a JSON body, the string "null" is null, and 0 is a point in time.
#
# Guess: a field `datetime | None`, described as a date-time or null in the OpenAPI document, answers 400 to the string
#        "null" and to the number 0, as msgspec.json.decode does with the same type.
# Seen:  the body is decoded to plain values and then converted with strict=False, the rules for query strings. "null"
#        in any case of letters is None, a number is seconds since 1970, "7" is an integer. `str | None` is spared.
# Output: 'null': 201 None
#         'Null': 201 None
#         0: 201 1970-01-01T00:00:00Z
#         '': 400 None
#         msgspec alone: Invalid RFC3339 encoded datetime - at `$.starts_at`
# Why:   "send at" is such a field, and no time means at once. A script that builds its body from text ("$when" of a
#        database's null) sends the issue to all readers instead of hearing that its time is wrong.
# Ways round: decode the body oneself with msgspec.json.decode, or a field type that only takes a string.
# Documented: not found in Litestar's manual; msgspec's documents the rules under strict=False. Cause:
#        litestar/_signature/model.py, convert(..., strict=False).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check litestar==2.25.0 msgspec==0.22.0
cat >"$work/app.py" <<'PY'
import sys
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Litestar, post
from litestar.testing import TestClient


class Send(msgspec.Struct):
    starts_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


@post("/send", sync_to_thread=False)
def send(data: Send) -> Send:
    return data


seen = []
with TestClient(Litestar([send], logging_config=None)) as client:
    for value in ("null", "Null", 0, ""):
        answer = client.post("/send", json={"starts_at": value})
        seen.append((answer.status_code, answer.json().get("starts_at")))
        print(f"{value!r}: {answer.status_code} {answer.json().get('starts_at')}")
try:
    msgspec.json.decode(b'{"starts_at": "null"}', type=Send)
    strict = "accepted"
except msgspec.ValidationError as error:
    strict = str(error)
print(f"msgspec alone: {strict}")
if not strict.startswith("Invalid RFC3339"):
    sys.exit("msgspec now takes the string null for no time: this finding has changed.")
if seen != [(201, None), (201, None), (201, "1970-01-01T00:00:00Z"), (400, None)]:
    sys.exit("Litestar now decodes JSON bodies by other rules: this finding has changed.")
PY
"$work/venv/bin/python" "$work/app.py"
