"""The corpus of returned mail: files named `<system>-<case>.<verdict>.eml`, after the formats of many systems."""

from pathlib import Path

from newsletter.bounces.reading.verdicts import Verdict

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.eml"))


def expected(path: Path) -> Verdict:
    """Give the verdict that a mail administrator would give, under RULES F."""
    return Verdict(path.name.split(".")[-2])


def postfix_report(diagnostic: str, status: str, *, action: str = "failed", address: str = "kari@example.org") -> bytes:
    """Give a report as Postfix writes it, about one recipient."""
    folded = diagnostic.replace("\n", "\n    ")
    return f"""Return-Path: <>
From: MAILER-DAEMON@relay.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounce@bounces.example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain; charset=utf-8

This is the mail system at host relay.example.com.

<{address}>: {diagnostic}

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.com

Final-Recipient: rfc822; {address}
Original-Recipient: rfc822;{address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {folded}

--cut--
""".encode()


def exim_bounce(reply: str) -> bytes:
    """Give a bounce as Exim wrote it for people alone."""
    return f"""Return-path: <>
X-Failed-Recipients: kari@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mail.example.com>
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  kari@example.org
    host mx.example.org [192.0.2.25]
    SMTP error from remote mail server after RCPT TO:<kari@example.org>:
    {reply}

------ This is a copy of the message, including all the headers. ------

From: The Monthly <monthly@example.com>
Subject: 550 5.1.1 user unknown
""".encode()
