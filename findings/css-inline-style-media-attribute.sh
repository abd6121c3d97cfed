#!/bin/sh
# css-inline 0.23.1 (PyPI; juice 11.1.1 for npm does the same): <style media="..."> is inlined for everybody.
#
# Guess: a style sheet meant for print, or for dark mode, is left alone like an @media rule is.
# Seen:  the media attribute is not looked at. The rules become style="" on each element, so every reader gets the
#        colours of dark mode, and the <style> with the condition is gone. The same condition as @media is not inlined.
# Output: attribute dark: color: white;
#         attribute print: display: none;
#         rule dark: color: black;
# Why:   a letter with a sheet for dark mode comes out white on white; one with "hide the footer in print" loses its
#        unsubscribe link for all.
# Ways round: write @media inside the sheet and keep_at_rules=True, or data-css-inline="ignore" on the <style>.
# Documented: not in the README of 0.23.1, which speaks of @media alone.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check css-inline==0.23.1
"$work/venv/bin/python" - <<'PY'
import re
import sys

from css_inline import CSSInliner

DARK, PRINT = "(prefers-color-scheme: dark)", "print"
INLINER = CSSInliner(keep_at_rules=True)


def style(head: str) -> str:
    page = f"<html><head>{head}</head><body><p>Hei</p></body></html>"
    return re.search(r'<p style="([^"]*)"', INLINER.inline(page))[1]


seen = {
    "attribute dark": style(f'<style>p {{ color: black }}</style><style media="{DARK}">p {{ color: white }}</style>'),
    "attribute print": style(f'<style media="{PRINT}">p {{ display: none }}</style>'),
    "rule dark": style(f"<style>p {{ color: black }} @media {DARK} {{ p {{ color: white }} }}</style>"),
}
for name, value in seen.items():
    print(f"{name}: {value}")
wanted = {"attribute dark": "color: white;", "attribute print": "display: none;", "rule dark": "color: black;"}
if seen != wanted:
    sys.exit("css-inline now heeds the media attribute of <style>: this finding has changed.")
PY
