#!/bin/sh
# Litestar 2.25.0 (PyPI): a form with two boxes ticked is taken, with one it is refused.
#
# Guess: `newsletters: list[str]` in a form is a list of one where one box is ticked; it is so in a query string.
# Seen:  in application/x-www-form-urlencoded, what browsers send unless told otherwise, one value is a str and the
#        answer is 400 "Expected `array`, got `str`". As multipart/form-data the same form is taken.
# Output: urlencoded, one box: 400 Expected `array`, got `str`
#         urlencoded, two boxes: 201 ["nytt","kurs"]
#         multipart, one box: 201 ["nytt"]
#         query string, one: 200 ["nytt"]
# Why:   "which newsletters do you want?" is the form of this field. Who wants one is told that the form is wrong; a
#        test that ticks two, or that uploads a file beside it, sees nothing.
# Ways round: enctype="multipart/form-data", a field `list[str] | str`, or reading request.form() with getall.
# Documented: not found in Litestar's manual. Cause: litestar/_kwargs/extractors.py, where only
#        the multipart reader looks at the types of the fields.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check litestar==2.25.0 msgspec==0.22.0
cat >"$work/app.py" <<'PY'
import sys
from dataclasses import dataclass
from typing import Annotated

from litestar import Litestar, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.testing import TestClient


@dataclass
class Wishes:
    newsletters: list[str]


@post("/plain", sync_to_thread=False)
def plain(data: Annotated[Wishes, Body(media_type=RequestEncodingType.URL_ENCODED)]) -> list[str]:
    return data.newsletters


@post("/multipart", sync_to_thread=False)
def multipart(data: Annotated[Wishes, Body(media_type=RequestEncodingType.MULTI_PART)]) -> list[str]:
    return data.newsletters


@get("/query", sync_to_thread=False)
def query(newsletters: list[str]) -> list[str]:
    return newsletters


PART = '--b\r\nContent-Disposition: form-data; name="newsletters"\r\n\r\nnytt\r\n--b--\r\n'
with TestClient(Litestar([plain, multipart, query], logging_config=None)) as client:
    answers = {
        "urlencoded, one box": client.post("/plain", data={"newsletters": "nytt"}),
        "urlencoded, two boxes": client.post("/plain", data={"newsletters": ["nytt", "kurs"]}),
        "multipart, one box": client.post(
            "/multipart", content=PART, headers={"Content-Type": "multipart/form-data; boundary=b"}
        ),
        "query string, one": client.get("/query", params={"newsletters": "nytt"}),
    }
for name, answer in answers.items():
    refusals = [each["message"] for each in answer.json()["extra"]] if answer.is_error else []
    print(f"{name}: {answer.status_code} {', '.join(refusals) or answer.text}")
if [answer.status_code for answer in answers.values()] != [400, 201, 201, 200]:
    sys.exit("Litestar now reads a form with one value for a list otherwise: this finding has changed.")
PY
"$work/venv/bin/python" "$work/app.py"
