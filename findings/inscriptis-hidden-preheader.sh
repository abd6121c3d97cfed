#!/bin/sh
# inscriptis 2.7.6 (PyPI): what is hidden with `display: none !important` is shown.
#
# Guess: an HTML-to-text converter that knows `display: none` knows it with !important, too.
# Seen:  the value is compared as a whole, so "none !important" is no known display, and the text is printed. The
#        attribute `hidden` is not known at all.
# Output: none: 'Hei'
#         none !important: 'Les dette fyrst\n\nHei'
#         hidden: 'Les dette fyrst\n\nHei'
# Why:   mail templates hide the preview line just so, with !important against the styles of mail programs. A text part,
#        an archive page or a search index made from such a letter opens with words that no reader was to see.
# Ways round: take such elements out of the tree before the conversion.
# Documented: the README of 2.7.6 says that a subset of CSS is read, naming `display`; !important is not mentioned.
#        Cause: inscriptis/model/css.py, attr_style and attr_display.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check inscriptis==2.7.6
"$work/venv/bin/python" - <<'PY'
import sys

from inscriptis import get_text

WAYS = {"none": 'style="display: none"', "none !important": 'style="display: none !important"', "hidden": "hidden"}


def text(way: str) -> str:
    return get_text(f"<html><body><div {way}>Les dette fyrst</div><p>Hei</p></body></html>").strip()


seen = {name: text(way) for name, way in WAYS.items()}
for name, value in seen.items():
    print(f"{name}: {value!r}")
if seen["none"] != "Hei":
    sys.exit("inscriptis now shows what `display: none` hides: this finding has changed.")
if not (seen["none !important"].startswith("Les dette") and seen["hidden"].startswith("Les dette")):
    sys.exit("inscriptis now hides what is hidden with !important or `hidden`: this finding has changed.")
PY
