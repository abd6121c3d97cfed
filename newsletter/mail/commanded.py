"""What the command `dkim new` does."""

from typing import NamedTuple

from newsletter.mail.dkim import keys
from newsletter.settings import load


class NewKey(NamedTuple):
    """A key that signs mail, with the DNS record that publishes it: its name, its value, and its line in a zone."""

    pem: str
    name: str
    value: str
    line: str


def new_key(domain: str, selector: str, *, ed25519: bool) -> NewKey:
    """Make a key for a domain, or for that of the settings; it is kept nowhere."""
    key = keys.new_key(ed25519=ed25519)
    name, value = keys.dns_record(domain or load().dkim_domain, selector, key.public_key())
    return NewKey(keys.private_pem(key), name, value, keys.zone_line(name, value))
