#!/bin/sh
# imap-tools 1.16.0 (PyPI): the text of a letter goes on, without a break, with the text of the letter attached to it.
#
# Guess: msg.text is what the sender wrote; an attached message/rfc822 is an attachment and stays one.
# Seen:  the attached letter is in msg.attachments, and its body also stands in msg.text, glued to the last word. It is
#        so for msg.html, and for a bounce, where the whole returned newsletter becomes part of the complaint.
# Output: text: 'Kva er dette?Meld deg av her: https://example.com/u/1'
#         attachments: ['message/rfc822']
# Why:   a service that looks for words in replies ("stop", "meld av", "unsubscribe") finds those of its own footer
#        in every bounce and every forwarded copy, and unsubscribes people who only asked a question.
# Ways round: walk msg.obj oneself and do not go into message/rfc822.
# Documented: not in the README of 1.16.0, which calls it "str"; the cause is the walk() in imap_tools/message.py.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check imap-tools==1.16.0
"$work/venv/bin/python" - <<'PY'
import sys

from imap_tools import MailMessage

LETTER = """\
From: Kari <kari@example.com>
To: news@example.com
Date: Sat, 02 May 2026 14:30:00 +0200
Subject: Fwd: Nytt
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/plain; charset=utf-8

Kva er dette?
--b
Content-Type: message/rfc822

From: news@example.com
To: kari@example.com
Subject: Nytt
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Meld deg av her: https://example.com/u/1
--b--
"""
message = MailMessage.from_bytes(LETTER.replace("\n", "\r\n").encode())
kinds = [attachment.content_type for attachment in message.attachments]
print(f"text: {message.text!r}\nattachments: {kinds}")
if message.text != "Kva er dette?Meld deg av her: https://example.com/u/1" or kinds != ["message/rfc822"]:
    sys.exit("imap-tools now reads the text of a letter with a letter in it otherwise: this finding has changed.")
PY
