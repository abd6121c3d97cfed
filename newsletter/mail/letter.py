"""What a letter looks like: a few sentences, perhaps one button, and who wrote it. Text and HTML say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from newsletter.web import render

if TYPE_CHECKING:
    from css_inline import CSSInliner


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing a letter asks to be done."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Words:
    """A letter's words. `notice_text` and `notice_html` are the same notice, for the copy of an agreement."""

    subject: str
    sender: str
    before: Sequence[str]
    button: Button | None = None
    after: Sequence[str] = ()
    notice_text: str = ""
    notice_html: str = ""
    footer: Sequence[str] = ()

    def as_text(self) -> str:
        """Give the text part."""
        button = [f"{self.button.label}:\n{self.button.url}"] if self.button else []
        notice = [self.notice_text.replace("**", "").strip()] if self.notice_text else []
        return "\n\n".join([*self.before, *button, *self.after, *notice, "--", *self.footer]) + "\n"

    def as_html(self, language: str) -> str:
        """Give the HTML part, its styles inlined."""
        page = render(
            "mail/letter.html",
            language,
            subject=self.subject,
            sender=self.sender,
            before=self.before,
            button=self.button,
            after=self.after,
            notice=self.notice_html,
            footer=self.footer,
        )
        return _inliner().inline(page)


@cache
def _inliner() -> "CSSInliner":
    # Whoever mails no letter has no use for it.
    import css_inline

    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)
