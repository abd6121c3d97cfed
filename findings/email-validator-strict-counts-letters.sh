#!/bin/sh
# email-validator 2.4.0 (PyPI): strict=True counts letters where the limit is one of octets.
#
# Guess: strict=True refuses all that is longer than 64 octets before the @ (RFC 5321 section 4.5.3.1.1, and in UTF-8
#        for internationalised addresses, RFC 6531 section 3.3), as the limit of 254 in the same library does.
# Seen:  64 times "å", 128 octets, is let through; 65 times "a" is refused. The limit of the whole address counts UTF-8.
# Output: 64 x a: accepted, 64 octets
#         65 x a: refused
#         64 x å: accepted, 128 octets
#         in 253 letters, 317 octets: refused
# Why:   who relies on the setting stores addresses that servers with that limit refuse at RCPT, and learns it from
#        the bounce.
# Ways round: compare len(local_part.encode()) oneself.
# Documented: the README of 2.4.0 speaks of "a local part length check" without its unit. Cause: email_validator/
#        syntax.py, len(local) > LOCAL_PART_MAX_LENGTH.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check email-validator==2.4.0
PYTHONIOENCODING=utf-8 "$work/venv/bin/python" - <<'PY'
import sys

from email_validator import EmailNotValidError, validate_email


def judged(local: str, domain: str = "example.org") -> str:
    try:
        read = validate_email(f"{local}@{domain}", check_deliverability=False, strict=True)
    except EmailNotValidError:
        return "refused"
    return f"accepted, {len(read.local_part.encode())} octets"


DOMAIN = ".".join(("a" * 62, "b" * 62, "c" * 59, "no"))
seen = {
    "64 x a": judged("a" * 64),
    "65 x a": judged("a" * 65),
    "64 x å": judged("å" * 64),
    "in 253 letters, 317 octets": judged("å" * 64, DOMAIN),
}
for name, verdict in seen.items():
    print(f"{name}: {verdict}")
if seen["64 x a"] != "accepted, 64 octets" or seen["65 x a"] != "refused":
    sys.exit("email-validator no longer has a limit of 64 for plain addresses: this finding has changed.")
if seen["64 x å"] != "accepted, 128 octets":
    sys.exit("email-validator now counts the octets before the @: this finding has changed.")
if seen["in 253 letters, 317 octets"] != "refused":
    sys.exit("email-validator no longer counts the octets of the whole address: this finding has changed.")
PY
