"""Headers that a sending service keeps, and tells again in its webhook: so we know which mail of ours it speaks of.

Each holds the local part of the mail's return address, which is signed (RULES F8). A mail has those of the services
whose webhook is set up, and no others. They stand in front of the mail and outside its DKIM signature, for a service
takes out what was meant for it alone.
"""

from newsletter.settings import Settings

# What each service calls it, and where it ends up in what the service tells: `delivery` in each case.
_HEADERS = {
    "webhook_ses": b"X-SES-MESSAGE-TAGS: delivery=\0\r\n",
    "webhook_postmark": b"X-PM-Metadata-delivery: \0\r\n",
    "webhook_sendgrid": b'X-SMTPAPI: {"unique_args":\r\n {"delivery": "\0"}}\r\n',
    "webhook_mailgun": b'X-Mailgun-Variables: {"delivery":\r\n "\0"}\r\n',
}


def echoes_of(settings: Settings) -> bytes:
    """Give the headers of the services whose webhook is set up, for `echoed`; nothing where there is none."""
    return b"".join(header for name, header in _HEADERS.items() if getattr(settings, name))


def echoed(echoes: bytes, return_address: str) -> bytes:
    """Give the headers for the mail with that return address, to stand in front of it."""
    return echoes.replace(b"\0", return_address.partition("@")[0].encode())
