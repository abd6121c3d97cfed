"""Delivery status notifications: the fields of each recipient (RFC 3464, RFC 6533). Pure.

Read by the fields' names rather than by the blank lines between the groups, for many systems set those where they like.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from newsletter.addresses import canonical
from newsletter.bounces.reading.mime import Mail
from newsletter.bounces.reading.verdicts import FOREIGN, Reading

KINDS = ("message/delivery-status", "message/global-delivery-status", "message/xdelivery-status")
_RECIPIENT_FIELDS = frozenset(
    {"original-recipient", "final-recipient", "action", "status", "remote-mta", "diagnostic-code", "x-actual-recipient"}
)
_FIELD = re.compile(r"([A-Za-z][A-Za-z-]{2,40}):[ \t]*(.*)")
_LONGEST = 8000
# Our mails have one recipient each; more come of aliases.
_MOST = 12
_UTF8 = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_NAMED = re.compile(r"[\w.+=-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_ACTIONS = {
    **dict.fromkeys(("failure", "fail", "error", "undeliverable", "undelivered", "bounced", "rejected"), "failed"),
    **dict.fromkeys(("delay", "deferred"), "delayed"),
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a report says of one recipient; empty where it says nothing. `diagnostic` is without its type."""

    original: str = ""
    final: str = ""
    action: str = ""
    status: str = ""
    diagnostic: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give the addresses that the report names: the original one, the final one."""
        return tuple(address for address in (self.original, self.final) if address)

    @property
    def told_of(self) -> tuple[str, ...]:
        """Give the addresses that the report names, or else those that the reply does."""
        return self.addresses or tuple(_NAMED.findall(self.diagnostic))


def recipients(mail: Mail) -> list[Recipient]:
    """Give the recipients of a report; none where the mail holds no report."""
    return [found for part in mail.of_kind(*KINDS) for found in recipients_in(part.text)][:_MOST]


def recipients_in(text: str) -> list[Recipient]:
    """Give the recipients that a report's fields speak of."""
    groups: list[dict[str, str]] = []
    fresh = True
    for name, value in _fields(text):
        if not name:
            fresh = fresh or bool(groups and {"original-recipient", "final-recipient"} & groups[-1].keys())
            continue
        begins = name in ("original-recipient", "final-recipient")
        if not groups or name in groups[-1] or (fresh and begins):
            groups.append({})
        fresh = False
        groups[-1][name] = value
    return [
        _recipient(group)
        for group in groups
        if {"final-recipient", "original-recipient", "action", "status"} & group.keys()
    ][:_MOST]


def spellings(address: str) -> set[str]:
    """Give the forms in which reports write an address: with the xtext of RFC 3461 read or not, with the domain's IDN
    in ASCII or not.
    """
    read = {canonical(address), canonical(_XTEXT.sub(lambda found: chr(int(found.group(1), 16)), address))}
    return read | {_with_plain_domain(one) for one in read}


def of_subscriber(reading: Reading, addresses: Collection[str], subscriber: str | None) -> Reading:
    """Give what is said of a subscriber in what names `addresses`: another's death is not theirs (RULES F5)."""
    if not reading.deadly or subscriber is None or not addresses:
        return reading
    spelled = {spelling for address in addresses for spelling in spellings(address)}
    return FOREIGN if spelled.isdisjoint(spellings(subscriber)) else reading


def _with_plain_domain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    # By today's rules, as the domain was written: Python's own codec (IDNA 2003) can't read a ß back.
    import idna

    try:
        return canonical(f"{local}{at}{idna.decode(domain)}")
    except (idna.IDNAError, UnicodeError):
        return address


def _fields(text: str) -> list[tuple[str, str]]:
    """Give the recipient fields in their order, unfolded; a blank line is a field without a name."""
    fields: list[tuple[str, str]] = []
    foreign = True
    for line in text[:200_000].split("\n"):
        if not line.strip():
            fields.append(("", ""))
            foreign = True
        elif line[0] in " \t":
            if not foreign and fields[-1][0]:
                fields[-1] = (fields[-1][0], f"{fields[-1][1]}\n{line.strip()}"[:_LONGEST])
        elif found := _FIELD.match(line.strip()):
            name = found.group(1).lower()
            foreign = name not in _RECIPIENT_FIELDS
            if not foreign:
                fields.append((name, found.group(2).strip()))
        elif not foreign and fields[-1][0] == "diagnostic-code":
            # Some fold a long reply without the blank that folding asks for.
            fields[-1] = (fields[-1][0], f"{fields[-1][1]}\n{line.strip()}"[:_LONGEST])
    return fields


def _recipient(group: dict[str, str]) -> Recipient:
    action = re.split(r"[\s;(.,!]", group.get("action", "").strip().lower() + " ")[0]
    return Recipient(
        original=_address(group.get("original-recipient", "")),
        final=_address(group.get("final-recipient", "")),
        action=_ACTIONS.get(action, action),
        status=group.get("status", ""),
        diagnostic=_untyped(group.get("diagnostic-code", "")),
    )


def _untyped(value: str) -> str:
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and re.fullmatch(r"[\w.-]{1,40}", kind.strip()) else value


def _address(value: str) -> str:
    """Give the address of a typed field, its octets beyond ASCII read (RFC 6533 §3)."""
    address = _untyped(value).strip().strip("<>").strip()
    return _UTF8.sub(_sign, address)


def _sign(found: re.Match[str]) -> str:
    number = int(found.group(1), 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
