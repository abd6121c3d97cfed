#!/bin/sh
# aiosmtpd 1.4.6 (PyPI): its LMTP server answers once for two recipients.
#
# Guess: aiosmtpd.lmtp.LMTP gives a reply for each recipient after the final dot, for that is what LMTP is
#        (RFC 2033 section 4.2), or lets the handler give them.
# Seen:  one reply, whatever the number of recipients. The class renames HELO to LHLO and leaves DATA as it is in SMTP.
#        The talk goes on as if nothing were missing: the next reply is that to the next command.
# Output: recipients: 2, replies after the dot: 1 ('250 kept'), reply to NOOP: '250 OK'
# Why:   LMTP is how mail servers hand bounces to a program. A client that keeps to the RFC takes the one reply for the
#        first recipient and waits for the other till its patience ends; then it brings the letter again for the
#        second, for whom the handler has counted it already.
# Ways round: one recipient each time (lmtp_destination_recipient_limit = 1 in Postfix), or SMTP.
# Documented: not found in aiosmtpd's manual. Cause: aiosmtpd/lmtp.py of 1.4.6, which inherits smtp_DATA.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiosmtpd==1.4.6
"$work/venv/bin/python" - <<'PY'
import asyncio
import sys

from aiosmtpd.lmtp import LMTP


class Keeper:
    async def handle_DATA(self, server, session, envelope) -> str:
        return "250 kept"


async def main() -> tuple[list[str], str]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: LMTP(Keeper(), hostname="mx.example.com"), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())

    async def say(text: str) -> str:
        writer.write(text.encode() + b"\r\n")
        line = (await reader.readline()).decode().strip()
        while line[3:4] == "-":
            line = (await reader.readline()).decode().strip()
        return line

    await reader.readline()
    for command in ("LHLO client.example.com", "MAIL FROM:<>", "RCPT TO:<b1@example.com>", "RCPT TO:<b2@example.com>"):
        assert (await say(command)).startswith("250")
    assert (await say("DATA")).startswith("354")
    replies = [await say("Subject: bounce\r\n\r\nNo.\r\n.")]
    try:
        replies.append((await asyncio.wait_for(reader.readline(), 2)).decode().strip())
    except TimeoutError:
        pass
    noop = await say("NOOP")
    writer.close()
    server.close()
    return replies, noop


replies, noop = asyncio.run(main())
print(f"recipients: 2, replies after the dot: {len(replies)} ({', '.join(map(repr, replies))}), reply to NOOP: {noop!r}")
if replies != ["250 kept"] or not noop.startswith("250"):
    sys.exit("aiosmtpd's LMTP now answers otherwise after the final dot: this finding has changed.")
PY
