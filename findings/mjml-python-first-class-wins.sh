#!/bin/sh
# mjml-python 1.4.2 (PyPI, on Rust's mrml): mj-class="base loud" means the opposite of what it means in mjml.
#
# Guess: where two mj-class set one attribute the later name wins, as in mjml itself, so that "base loud" is base, made
#        loud.
# Seen:  the first name wins. mjml 5.4.1 for npm takes the last (red, then black, for the letter below). Both give valid
#        HTML and neither warns. An attribute on the element itself beats both classes in both.
# Output: base loud -> black
#         loud base -> red
#         base loud with color="green" -> green
# Why:   a template drawn in MJML's own editor changes its colours, sizes and paddings when a service in Python
#        compiles it. A warning set in red comes out as body text.
# Ways round: never let two classes of one element set the same attribute.
# Documented: neither MJML's manual (mj-attributes) nor the README of mjml-python 1.4.2 gives the order among classes.
#        mjml-core 5.4.1, lib/index.js, spreads the classes' values over each other in their order.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mjml-python==1.4.2
"$work/venv/bin/python" - <<'PY'
import re
import sys

from mjml import mjml2html

LETTER = """
<mjml>
  <mj-head>
    <mj-attributes>
      <mj-class name="base" color="black" />
      <mj-class name="loud" color="red" />
    </mj-attributes>
  </mj-head>
  <mj-body>
    <mj-section>
      <mj-column><mj-text {}>Frist i dag</mj-text></mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""


def colour(attributes: str) -> str:
    return re.search(r'[;"]color:\s*(\w+);[^<>]*>\s*Frist', mjml2html(LETTER.format(attributes)))[1]


seen = {
    "base loud": colour('mj-class="base loud"'),
    "loud base": colour('mj-class="loud base"'),
    'base loud with color="green"': colour('mj-class="base loud" color="green"'),
}
for name, value in seen.items():
    print(f"{name} -> {value}")
if list(seen.values()) != ["black", "red", "green"]:
    sys.exit("mjml-python now lets another mj-class win: this finding has changed.")
PY
