"""Where a refusal carries its code, and which of several codes counts. Pure.

An enhanced status code (RFC 3463) counts in its proper place alone: after the reply code (RFC 2034), at the beginning
of a line, after a `#` or in brackets as qmail and Exchange write it. Elsewhere three numbers with dots are a version or
a piece of an address.
"""

import re

# Before it: the beginning of a line, a reply code, a sign that opens, or the name of what it is.
_ENHANCED = re.compile(
    r"(?:^[ \t>*-]{0,40}|(?<![\d.])[245]\d\d[ \t,;:_-]{1,4}[\"'(<\[]{0,2}#?|[#\[(]"
    r"|\b(?:dsn|status|(?:error_)?code|said|reason|error|failed|returned|reply|response)[ =:;\"'(]{1,4}|rfc1893\):[ ])"
    r"[ \t]{0,4}(?:[245]\d\d[ _-])?([245]\.\d{1,3}\.\d{1,3})(?![\d.]*[^\W_])",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?!\d)")
_REPLY = re.compile(
    r"(?:^|[:;,\"'(<>{\[]\s?|<[-=]{1,2} |#"
    r"|\b(?:said|returned|response|responded|error|message|was|reply|got|with)[: ]{0,2}[\"'(<]{0,2})"
    r"\s{0,4}#?([245]\d\d)(?=[ \t;:,\"'>)-]|$)(?![ \t)]{0,2}\d{3}[-. ]\d{4})"
    r"(?![ \t]?(?:bytes|kb|mb|hours|days|seconds|minutes|messages|recipients))",
    re.IGNORECASE | re.MULTILINE,
)
# These say no more than their class does, or that another server said more.
_GENERIC = re.compile(r"0\.\d+|[1-6]\.0|1\.35[0-2]")
# What a code means after its class (RULES F2).
DEAD = frozenset({"1.1", "1.3", "1.6", "1.10"})
DEAD_IF_REPEATED = frozenset({"1.2", "2.1"})
ALARMING = frozenset({"1.7", "1.8", "7.26", "7.27", "7.515"})


def status_of(value: str) -> str | None:
    """Give the code of a Status field; None where there is none."""
    found = _STATUS.match(value)
    return _tidy(found.group(1)) if found else None


def enhanced_in(text: str) -> list[str]:
    """Give the enhanced codes in their proper places within a refusal, in their order."""
    return [_tidy(found.group(1)) for found in _ENHANCED.finditer(text[:4000])]


def reply_in(text: str) -> str | None:
    """Give the first SMTP reply code in a refusal that is no success."""
    return next((found.group(1) for found in _REPLY.finditer(text[:4000]) if found.group(1)[0] != "2"), None)


def is_generic(code: str) -> bool:
    """Say whether a code says no more than that something failed."""
    return _GENERIC.fullmatch(code[2:]) is not None


def counting(status: str | None, given: list[str], reply: str | None) -> str | None:
    """Give the code that counts: `status` is what the reporter says, `given` what stands in the refusal it quotes.

    The refusal is nearer to the truth, unless it alone calls the address dead: then the milder counts. A temporary
    failure is one whoever says so (RULES F1).
    """
    if status and status[0] == "4":
        return status
    telling = [code for code in given if not is_generic(code)]
    if not telling:
        if reply and reply[0] == "4" and not given:
            return None
        return status or (given[0] if given else None)
    mild = [code for code in telling if code[0] == "5" and code[2:] not in DEAD]
    first = telling[0]
    if first[2:] in DEAD and mild:
        return mild[0]
    if first[2:] in DEAD and status and not is_generic(status) and status[2:] not in DEAD:
        return status if status[0] == "5" else first
    return first


def _tidy(code: str) -> str:
    return ".".join(str(int(number)) for number in code.split("."))
