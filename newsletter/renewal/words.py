"""What the letters about an agreement say, in the reader's language. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_date
from markupsafe import Markup

from newsletter.agreements.notices.diff import Paragraph
from newsletter.language import Gettext, translator
from newsletter.mail.letter import Button, Words


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the links of such a letter lead: out, to everything held, and to what it is about."""

    unsubscribe: str
    mine: str
    matter: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What every such letter knows: its language, the newsletter's name, its links, and the lines it ends with."""

    language: str
    newsletter: str
    ways: Ways
    signature: Sequence[str]

    def day(self, moment: datetime) -> str:
        """Give a day in words."""
        return format_date(moment, "long", locale=self.language)


def notice_changed(facts: Facts, changes: Sequence[Paragraph], valid_from: datetime, *, ahead: bool) -> Words:
    """Tell that a notice has changed, or will where it is `ahead`, and how (RULES A7)."""
    say = translator(facts.language)
    name = {"newsletter": facts.newsletter, "date": facts.day(valid_from)}
    when = say("The new one applies from %(date)s.") if ahead else say("The new one has applied since %(date)s.")
    return Words(
        subject=say("The notice of %(newsletter)s has changed") % name,
        sender=facts.newsletter,
        before=[
            say("You subscribe to %(newsletter)s. The notice that says how we handle what we know about you changes.")
            % name,
            when % name,
            say("You need not do anything. If you do not like the change, you can leave with one click."),
        ],
        button=Button(say("Read the whole notice"), facts.ways.matter),
        after=[say("This is what is different:")],
        notice_text=_changes_as_text(changes, say),
        notice_html=_changes_as_html(changes, say),
        footer=_footer(facts, say),
    )


def reconfirmation(facts: Facts, changes: Sequence[Paragraph], until: datetime, *, ends: bool) -> Words:
    """Ask to agree to a changed notice, and say what comes of no answer (RULES A7)."""
    say = translator(facts.language)
    name = {"newsletter": facts.newsletter, "date": facts.day(until)}
    otherwise = (
        say(
            "If we have not heard from you by %(date)s, we take it that you no longer want it: your subscription "
            "ends, and what we know about you because of it is deleted."
        )
        if ends
        else say("If you do not answer, nothing changes, and we do not ask again.")
    )
    return Words(
        subject=say("Do you still want %(newsletter)s?") % name,
        sender=facts.newsletter,
        before=[
            say("You subscribe to %(newsletter)s. What you agreed to has changed, so we ask you anew.") % name,
            otherwise % name,
        ],
        button=Button(say("Read and answer"), facts.ways.matter),
        after=[say("This is what is different:")],
        notice_text=_changes_as_text(changes, say),
        notice_html=_changes_as_html(changes, say),
        footer=_footer(facts, say),
    )


def reminder(facts: Facts, since: datetime) -> Words:
    """Remind a reader of what they subscribe to, and how to leave (RULES A9)."""
    say = translator(facts.language)
    name = {"newsletter": facts.newsletter, "date": facts.day(since)}
    return Words(
        subject=say("You subscribe to %(newsletter)s") % name,
        sender=facts.newsletter,
        before=[
            say("On %(date)s you agreed to get %(newsletter)s. We remind you of it from time to time.") % name,
            say("If you still want it, you need not do anything. If not, you can leave here:"),
        ],
        button=Button(say("Unsubscribe"), facts.ways.unsubscribe),
        footer=_footer(facts, say),
    )


def renewal(facts: Facts, until: datetime, *, last: bool) -> Words:
    """Ask for a renewal, for the first time or the `last` (RULES A9)."""
    say = translator(facts.language)
    name = {"newsletter": facts.newsletter, "date": facts.day(until)}
    subject = say("%(newsletter)s ends for you on %(date)s") if last else say("Do you still want %(newsletter)s?")
    return Words(
        subject=subject % name,
        sender=facts.newsletter,
        before=[
            say("Your agreement to get %(newsletter)s holds until %(date)s, unless you renew it.") % name,
            say(
                "If you do nothing, your subscription ends on that day, and what we know about you because of it "
                "is deleted."
            ),
        ],
        button=Button(say("Read and renew"), facts.ways.matter),
        footer=_footer(facts, say),
    )


def _footer(facts: Facts, say: Gettext) -> list[str]:
    return [
        say("Leave with one click: %(url)s") % {"url": facts.ways.unsubscribe},
        say("See everything we know about you, correct it or have it deleted: %(url)s") % {"url": facts.ways.mine},
        *facts.signature,
    ]


def _changes_as_text(changes: Sequence[Paragraph], say: Gettext) -> str:
    return "\n\n".join(_told(changes, say))


def _told(changes: Sequence[Paragraph], say: Gettext) -> Iterator[str]:
    changed = [each for each in changes if each.changed]
    if not changed:
        yield say("Only its form, not its words.")
    for each in changed:
        words = {"before": each.before, "after": each.after}
        if not each.before:
            yield say("New: “%(after)s”") % words
        elif not each.after:
            yield say("Taken out: “%(before)s”") % words
        else:
            yield say("Before: “%(before)s”\nNow: “%(after)s”") % words


def _changes_as_html(changes: Sequence[Paragraph], say: Gettext) -> str:
    changed = [each for each in changes if each.changed]
    if not changed:
        return Markup("<p>{}</p>").format(say("Only its form, not its words."))
    # No mail program keeps words for the ear alone: what was added and taken out is said in brackets.
    added, removed = say("new"), say("taken out")
    return Markup("").join(Markup("<p>{}</p>").format(each.as_html(added, removed, spoken=False)) for each in changed)
