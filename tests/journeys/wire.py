"""What every mail must be on the wire, read from its bytes (RULES E1, E6, G1-G5)."""

import re

from tests.support.mailbox import ReceivedMail

_ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "List-Id", "List-Unsubscribe")


def check(mail: ReceivedMail, unmeasured: tuple[str, ...]) -> None:
    """Assert that this is an issue as it must be; none of the `unmeasured` addresses may stand in it."""
    _check_lines(mail.content)
    # An address beyond ASCII stands in its header as it is (RFC 6532), and nothing else does.
    assert mail.content.replace(mail.recipients[0].encode(), b"").isascii()
    for name in _ONCE:
        assert len(mail.raw_headers(name)) == 1, name
    _check_unsubscribe(mail)
    assert re.fullmatch(rb" [^<>]*<ukesbrevet\.[a-z0-9.]+>", _unfolded(mail, "List-Id"))
    assert _unfolded(mail, "List-Post").strip() == b"NO"
    assert b"reader" not in _unfolded(mail, "Feedback-ID")
    assert [part.get_content_type() for part in mail.message.iter_parts()] == ["text/plain", "text/html"]
    assert mail.pixel is not None
    assert len(set(mail.links("click"))) == 3
    assert set(mail.links("click")) <= set(mail.html_links)
    assert not [url for url in unmeasured if url in mail.text or url in mail.html]
    assert "999 999 999" in mail.text
    assert "999 999 999" in mail.html


def _check_lines(content: bytes) -> None:
    """Assert CRLF and nothing else ends a line, and no line is too long for any relay (RULES G2)."""
    head, _, body = content.partition(b"\r\n\r\n")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert body.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76


def _check_unsubscribe(mail: ReceivedMail) -> None:
    """Assert the header is the one that mail programs read, folded only where white space may stand (RFC 5322)."""
    (raw,) = mail.raw_headers("List-Unsubscribe")
    assert b"=?" not in raw, "an encoded word: Gmail ignores the header then"
    assert all(line[:1] in (b" ", b"\t") and line.strip() for line in raw.split(b"\r\n"))
    assert re.fullmatch(rb" <http://[!-;=?-~]+>", raw.replace(b"\r\n", b"")), raw
    assert _unfolded(mail, "List-Unsubscribe-Post").strip() == b"List-Unsubscribe=One-Click"
    assert mail.link("unsubscribe") == mail.one_click
    assert mail.one_click in mail.html_links


def _unfolded(mail: ReceivedMail, name: str) -> bytes:
    (raw,) = mail.raw_headers(name)
    return raw.replace(b"\r\n", b"")
