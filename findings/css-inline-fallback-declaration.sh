#!/bin/sh
# css-inline 0.23.1 (PyPI): the fallback of a declaration is lost on the way from the sheet to the element.
#
# Guess: `background: #0b57a4; background: linear-gradient(...)` arrives as it is written, both lines in their order,
#        as juice 11.1.1 for npm does it.
# Seen:  of two declarations of one property in one rule, the last alone is inlined. The very same pair survives where
#        it already stands in a style attribute, so a test with hand-written styles does not show it.
# Output: from a sheet: background: linear-gradient(#0b57a4, #1f6fc0);
#         from the element: margin: 0;background: #0b57a4;background: linear-gradient(#0b57a4, #1f6fc0)
# Why:   Outlook for Windows knows no gradient: a button with white words loses its colour and is white on white. The
#        fallback was written for exactly that reader.
# Ways round: a property of another name (background-color) for the fallback, or bgcolor="" on the cell.
# Documented: not in the README of 0.23.1.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check css-inline==0.23.1
"$work/venv/bin/python" - <<'PY'
import re
import sys

import css_inline

PAIR = "background: #0b57a4; background: linear-gradient(#0b57a4, #1f6fc0)"


def style(sheet: str, element: str) -> str:
    page = css_inline.inline(f"<html><head><style>{sheet}</style></head><body>{element}</body></html>")
    return re.search(r'<a [^>]*style="([^"]*)"', page)[1]


sheet = style(f"a {{ {PAIR} }}", '<a href="https://example.com/">Les meir</a>')
element = style("a { margin: 0 }", f'<a href="https://example.com/" style="{PAIR}">Les meir</a>')
print("from a sheet:", sheet)
print("from the element:", element)
if "#0b57a4;" in sheet or "linear-gradient" not in sheet:
    sys.exit("css-inline now keeps a fallback that stands in a sheet: this finding has changed.")
if "background: #0b57a4;" not in element:
    sys.exit("css-inline now drops a fallback in a style attribute, too: this finding has changed.")
PY
