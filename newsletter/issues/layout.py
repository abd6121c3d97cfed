"""The page around an issue's content: the newsletter's name above, the sender and the way out below.

What differs from mail to mail but is not the editor's, such as the unsubscribe address, stands as a slot: a
name between control characters, which no text of an issue can hold.
"""

import html
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from newsletter.issues.wording import Wording

SLOT = "\x01"
UNSUBSCRIBE, PIXEL = "unsubscribe", "pixel"

# Lone surrogates are no characters at all, and stop every encoder.
_UNPRINTABLE = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)), " ")


@dataclass(frozen=True, slots=True)
class Footer:
    """Who sends the issue, where their data notice is (RULES G7), and where readers ask for their own page.

    Both addresses are the same in every mail: a forwarded issue opens nobody's page (RULES E7).
    """

    organisation: str
    organisation_number: str
    address: str
    contact: str
    privacy_url: str
    my_url: str


def one_line(text: str) -> str:
    """Put control characters and line breaks out of harm's way, as single spaces."""
    return " ".join(text.translate(_UNPRINTABLE).split())


def slot(name: str) -> str:
    """Name a place that each mail fills in."""
    return f"{SLOT}{name}{SLOT}"


def text_page(content: str, newsletter_name: str, wording: Wording, footer: Footer) -> str:
    """Give the whole text part."""
    name = one_line(newsletter_name)
    number = one_line(footer.organisation_number)
    return "\n".join((
        name, "=" * min(len(name), 60), "", content, "", "-" * 40,
        wording.reason.format(newsletter=name),
        f"{wording.unsubscribe}: {slot(UNSUBSCRIBE)}",
        f"{wording.my_page}: {one_line(footer.my_url)}",
        f"{wording.privacy}: {one_line(footer.privacy_url)}", "",
        one_line(footer.organisation),
        *([f"{wording.organisation_number}: {number}"] if number else []),
        *(one_line(line) for line in footer.address.splitlines()),
        f"{wording.contact}: {one_line(footer.contact)}", "",
    ))  # fmt: skip


def html_page(content: str, newsletter_name: str, language: str, wording: Wording, footer: Footer) -> str:
    """Give the whole HTML part, its styles inlined; `content` is sanitised HTML."""
    name = html.escape(one_line(newsletter_name))
    lines = (footer.organisation, footer.organisation_number, footer.contact, footer.privacy_url, footer.my_url)
    organisation, number, contact, privacy, my_page = (html.escape(one_line(line)) for line in lines)
    address = "<br>".join(html.escape(one_line(line)) for line in footer.address.splitlines())
    sender = [organisation]
    sender += [f"{wording.organisation_number}: {number}"] if number else []
    sender += [address] if address else []
    sender += [f'{wording.contact}: <a href="mailto:{contact}">{contact}</a>']
    below = (
        f"<p>{wording.reason.format(newsletter=name)}</p>"
        f'<p><a href="{slot(UNSUBSCRIBE)}">{wording.unsubscribe}</a> &middot; '
        f'<a href="{my_page}">{wording.my_page}</a> &middot; <a href="{privacy}">{wording.privacy}</a></p>'
        f"<p>{'<br>'.join(sender)}</p>{slot(PIXEL)}"
    )
    filled = Template(_layout()).substitute(
        newsletter=name, language=html.escape(language), content=content, footer=below
    )
    # What makes an issue is loaded by whoever makes one.
    import css_inline

    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True).inline(filled)


@cache
def _layout() -> str:
    import mjml

    source = files("newsletter").joinpath("templates/issues/issue.mjml").read_text("utf-8")
    return mjml.mjml2html(source, disable_comments=True, fonts={})
