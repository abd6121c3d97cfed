"""Complaints and mails that ask to be left out: at once, and by what we signed alone (RULES E4, F7)."""

import pytest
from sqlmodel import select

from newsletter.agreements.traces.suppression import suppressed
from newsletter.bounces.reading.verdicts import Reading, Verdict
from newsletter.bounces.reports.actions import Taken, recognises, take_event
from newsletter.bounces.reports.tables import Report
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState
from tests.bounces.coming_back import CAROL, alive, comes, complaint, follows, return_address, sent
from tests.delivery.cast import found, people, subscribe
from tests.support.peer import SmtpPeer

ABUSE = "abuse@bounces.example.com"


def header(peer: SmtpPeer, name: str) -> str:
    return " ".join(str(peer.mails_to(CAROL)[-1].message[name]).split())


def returned(peer: SmtpPeer, by: str) -> tuple[str, bytes]:
    """Give where a complaint goes and what it is, by what it names of ours."""
    if by == "return address":
        return return_address(peer), complaint()
    links = header(peer, "List-Unsubscribe").split(", ")
    inside = {
        "return path": f"Return-Path: <{return_address(peer)}>",
        "link": f"List-Unsubscribe: {links[0]}",
        "mailbox": f"List-Unsubscribe: {links[1]}",
    }[by]
    return ABUSE, complaint(f"{inside}\nTo: <undisclosed@example.net>\n")


@pytest.mark.parametrize("by", ["return address", "return path", "mailbox"])
async def test_who_complains_is_deleted_at_once_and_stays_away(
    installation: Installation, peer: SmtpPeer, by: str
) -> None:
    await sent(installation, peer, [*people(5), CAROL])
    address, raw = returned(peer, by)
    assert recognises(installation, address)
    assert await comes(installation, raw, address) == Taken.ACCEPTED
    await follows(installation)
    assert await alive(installation) == set(people(5))
    async with installation.database.read() as session:
        assert await suppressed(session, installation, [CAROL, *people(5)]) == {CAROL}
        assert (await session.exec(select(Report))).all() == []
    assert await comes(installation, raw, address) == Taken.NOBODY


async def test_by_the_link_that_people_forward_one_newsletter_ends_and_no_more(
    installation: Installation, peer: SmtpPeer
) -> None:
    """RULES E7: it stands in the issue, so anybody to whom a reader sends that on could complain in their name."""
    await sent(installation, peer, [*people(5), CAROL])
    await subscribe(installation, await found(installation, "films"), [CAROL])
    address, raw = returned(peer, "link")
    assert await comes(installation, raw, address) == Taken.ACCEPTED
    await follows(installation)
    theirs = select(Newsletter.slug, Subscription.state).join(Subscription).join(Subscriber)
    async with installation.database.read() as session:
        left = (await session.exec(theirs.where(Subscriber.canonical == CAROL).order_by(Newsletter.slug))).all()
    assert left == [("books", SubscriptionState.ENDED), ("films", SubscriptionState.ACTIVE)]


async def test_a_complaint_that_names_nothing_of_ours_is_nobodys(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    """Who is named in words might be anybody."""
    await sent(sqlite_installation, peer, [*people(5), CAROL])
    forged = return_address(peer).replace("b-", "b-a", 1)
    for inside in (f"To: {CAROL}\n", f"Return-Path: <{forged}>\n", "List-Unsubscribe: <https://x/unsubscribe/abc>\n"):
        assert await comes(sqlite_installation, complaint(inside), ABUSE) in (Taken.FOREIGN, Taken.FORGED)
    await follows(sqlite_installation)
    assert CAROL in await alive(sqlite_installation)


async def test_that_it_is_no_spam_changes_nothing(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    await sent(sqlite_installation, peer, [*people(5), CAROL])
    raw = complaint().replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam")
    await comes(sqlite_installation, raw, return_address(peer))
    await follows(sqlite_installation)
    assert CAROL in await alive(sqlite_installation)


async def test_a_mail_to_the_unsubscribe_address_unsubscribes_unless_a_machine_wrote_it(
    installation: Installation, peer: SmtpPeer
) -> None:
    await sent(installation, peer, [*people(5), CAROL])
    address = header(peer, "List-Unsubscribe").split("<mailto:")[1].partition("?")[0]
    assert recognises(installation, address.upper())
    for machine in (b"Auto-Submitted: auto-replied\n\nAway.", b"Return-Path: <>\n\nIt bounced."):
        assert await comes(installation, machine, address) == Taken.AUTOMATIC
    assert CAROL in await alive(installation)
    assert await comes(installation, b"From: somebody@example.org\n\nunsubscribe", address) == Taken.UNSUBSCRIBED
    assert await alive(installation) == set(people(5))
    assert await comes(installation, b"From: somebody@example.org\n\nunsubscribe", address) == Taken.UNSUBSCRIBED


async def test_an_event_of_a_service_has_the_same_effect_and_only_by_our_signed_id(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    """RULES F8: a webhook brings no mail, but what happened to one of ours."""
    installation = sqlite_installation
    await sent(installation, peer, [*people(5), CAROL])
    reading = Reading(Verdict.COMPLAINT, "The reader reports the mail as spam.")
    token = return_address(peer).partition("@")[0]
    for each, taken in ((CAROL, Taken.FOREIGN), ("b-abc", Taken.FORGED), (token, Taken.ACCEPTED)):
        async with installation.database.write() as session:
            assert await take_event(session, installation, each, reading, "ses") == taken
    await follows(installation)
    assert await alive(installation) == set(people(5))
