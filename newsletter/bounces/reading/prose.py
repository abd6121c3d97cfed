"""Bounces without a report: what qmail, Exim, Sendmail, Domino and many more write for people. Pure.

First what the mail system itself says is parted from the mail it returns, for that is no evidence. Within it each
quoted reply, with the words around it, is judged by itself; where none is quoted, the words of the whole are.
"""

import re

from newsletter.bounces.reading.codes import enhanced_in, reply_in
from newsletter.bounces.reading.dsn import of_subscriber
from newsletter.bounces.reading.judging import judge
from newsletter.bounces.reading.mime import Mail
from newsletter.bounces.reading.verdicts import Reading, Verdict, worst
from newsletter.mail.words.phrases import multiline
from newsletter.mail.words.wording import Words, vetoes

_MOST = 20_000
# Less than this before a line about the returned mail is no notification.
_LEAST = 20
_MOST_QUOTED = 20
_RETURNED = multiline("newsletter.bounces.reading", "returned.txt")
# Some repeat the subject of the mail that they return.
_SUBJECT = re.compile(
    r"(?:(?<![\"'\w])(?:with )?(?:subject|betreff|objet|asunto|oggetto|assunto|onderwerp)"
    r"|^[ \t>*]{0,20}(?:emne|ämne|temat|aihe|тема)|件名|主题|主旨)"
    r"(?: of the message is)?[ \t]{0,10}[:：=\"][^\n]{0,300}|\bwith subject [^\n]{0,300}",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"[^\s<>@:;,\"'()\[\]]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,20}")
# A transcript may give the time of each line.
_COMMAND = re.compile(
    r"^[ \t]*(?:[\w, /.-]{0,40}\d\d:\d\d(?::\d\d)?[\d.]{0,7}[:\]]?[ \t]+)?(?:sent )?(?:>>>|C:|=>|-->)[ \t]"
    r"|^[ \t]*(?:RCPT TO|MAIL FROM|DATA|EHLO|HELO)\b[^\n]*$",
    re.IGNORECASE,
)
_ADDRESS_LINE = re.compile(
    r"^[ \t]*(?:<[^<>\s]{1,250}@?[^<>\s]{1,250}>[:. \t]|<?[^\s<>@]{1,100}@[^\s<>]{1,100}>?:?[ \t]*$|\(?reason:)",
    re.IGNORECASE,
)


def notification(mail: Mail) -> str:
    """Give what the mail system itself says: the text before the mail that it returns."""
    said: list[str] = []
    for part in mail.parts:
        if part.kind.startswith(("message/rfc822", "text/rfc822", "message/partial")):
            break
        # A page after a text says the same once more.
        page = part.kind == "text/html" and said
        if not page and part.text.strip() and (part.kind.startswith("text/") or len(mail.parts) == 1):
            said.append(part.text)
    text = "\n\n".join(said)
    return _SUBJECT.sub("", _before_returned(text[:_MOST]))


def _before_returned(text: str) -> str:
    for mark in _RETURNED.finditer(text):
        before = text[: mark.start()]
        if sum(sign.isalnum() for sign in before) > _LEAST:
            return before
    return text


def about(text: str, addresses: tuple[str, ...]) -> str:
    """Give what a notification says of one recipient; all of it where none of the addresses stands in it."""
    pieces = _pieces(text)
    wanted = [address.lower() for address in addresses if address]
    found = [piece for piece in pieces if any(address in piece.lower() for address in wanted)]
    return "\n".join(found) if any(enhanced_in(piece) or reply_in(piece) for piece in found) else text


def judge_text(text: str, status: str | None = None, subscriber: str | None = None) -> Reading:
    """Judge what a mail system says in its own words: of the subscriber, where they are known (RULES F5)."""
    pieces = _pieces(text)
    quoted = [place for place, piece in enumerate(pieces) if enhanced_in(piece) or reply_in(piece)]
    if quoted:
        more = Words(text)
        return worst(_judge_quoted(pieces, place, more, status, subscriber) for place in quoted[:_MOST_QUOTED])
    found = judge(text, status)
    # Without a quoted reply a word of the returned mail may have slipped in: it may be heard, but kills nobody.
    if found.verdict is Verdict.DEAD and status is None:
        return Reading(Verdict.UNKNOWN, "The words name a code, but not as a refusal.", found.code)
    return found


def _judge_quoted(pieces: list[str], place: int, more: Words, status: str | None, subscriber: str | None) -> Reading:
    """Judge one quoted reply. A deadly one that names no address, after words of other trouble, may well stand in the
    returned mail.
    """
    found = judge(pieces[place], status, more)
    if found.deadly and "@" not in pieces[place] and vetoes("\n".join(pieces[:place])):
        return Reading(Verdict.UNKNOWN, "A deadly code stands beside words that speak of something else.", found.code)
    return of_subscriber(found, _ADDRESS.findall(pieces[place]), subscriber)


def _pieces(text: str) -> list[str]:
    """Cut a notification where it begins to speak of another recipient or another command."""
    pieces: list[list[str]] = [[]]
    for line in text.split("\n"):
        if _COMMAND.match(line):
            pieces.append([])
        elif not line.strip() or _ADDRESS_LINE.match(line):
            pieces.append([line])
        else:
            pieces[-1].append(line)
    return ["\n".join(lines) for lines in pieces if any(line.strip() for line in lines)]
