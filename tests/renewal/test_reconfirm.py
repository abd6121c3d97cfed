"""A changed purpose needs a new agreement: readers are asked, and only a press of the button answers (RULES A7)."""

import re

import httpx

from newsletter.renewal import actions
from newsletter.renewal.tables import NoticeMailing
from tests.renewal.cast import ASKED, KARI, OLA, SIRI, history, mail, publish, standing, turn
from tests.signup.site import Site, hidden
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer


async def asked(site: Site, peer: SmtpPeer, *emails: str) -> dict[str, str]:
    """Subscribe these, change the notice and ask them anew; give the path of each one's question."""
    for email in emails:
        await site.subscribe(email)
    await mail(site, peer)
    await publish(site, ASKED)
    return {letter.recipients[0]: path(letter) for letter in await mail(site, peer)}


def path(letter: ReceivedMail) -> str:
    return letter.link("renew").removeprefix("https://news.example.com")


async def press(site: Site, question: str) -> httpx.Response:
    """Open the question and press its button, a minute later than whatever was before."""
    turn(site, minutes=1)
    page = await site.http.get(question)
    return await site.http.post(question, data={"notice": hidden(page.text, "notice")})


async def test_looking_changes_nothing_and_pressing_makes_a_new_agreement(site: Site, peer: SmtpPeer) -> None:
    question = (await asked(site, peer, KARI))[KARI]
    before = await site.rows()
    await site.http.head(question)
    await site.http.get(question)
    page = await site.http.get(question)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert "<ins>" in page.text
    assert await site.rows() == before
    assert (await press(site, question)).status_code == 200
    one, other = await site.agreements()
    assert one.notice_hash != other.notice_hash
    assert {one.subscription_id, other.subscription_id} == {(await site.subscriptions())[0].id}
    assert one.witnessed
    assert other.witnessed
    assert (await history(site, KARI))[-2:] == ["given", "renewed"]
    # An old link does nothing more, whoever opens or presses it.
    done = await site.rows()
    again = [await site.http.get(question), await site.http.post(question)]
    assert [answer.status_code for answer in again] == [200, 200]
    assert all("fornyet" in answer.text for answer in again)
    assert await site.rows() == done


async def test_a_notice_that_changed_meanwhile_is_shown_before_it_is_agreed_to(site: Site, peer: SmtpPeer) -> None:
    """RULES A6: also a press without any page before it, as a scanner might."""
    question = (await asked(site, peer, KARI))[KARI]
    token = hidden((await site.http.get(question)).text, "notice")
    await publish(site, None, "Enda en setning.")
    before = await site.rows()
    for form in ({"notice": token}, {}, {"notice": "forged"}):
        answer = await site.http.post(question, data=form)
        assert answer.status_code == 422
        assert "Enda en setning" in answer.text
    assert await site.rows() == before
    assert (await press(site, question)).status_code == 200


async def test_no_answer_in_time_ends_it_and_an_answer_keeps_it(site: Site, peer: SmtpPeer) -> None:
    questions = await asked(site, peer, KARI, OLA, SIRI)
    (mailing,) = await site.all(NoticeMailing)
    assert (mailing.state, mailing.sent) == ("answering", 3)
    await press(site, questions[KARI])
    # She leaves by herself, so nothing of her is left that an answer could be missing of.
    await site.http.post(await site.unsubscribe_path(SIRI))
    turn(site, days=13)
    await actions.run(site.installation)
    assert len(await site.people()) == 2
    turn(site, days=2)
    await actions.run(site.installation)
    assert [person.email for person in await site.people()] == [KARI]
    stood = await standing(site, mailing)
    assert (stood.state, stood.renewed, stood.ended, stood.unanswered) == ("finished", 1, 1, 1)
    assert (await site.http.get(questions[OLA])).status_code == 410
    assert (await site.http.post(questions[OLA])).status_code == 410
    assert re.search("avsluttet", (await site.http.get(questions[OLA] + "?language=nb")).text)


async def test_who_signed_up_again_meanwhile_is_up_to_date(site: Site, peer: SmtpPeer) -> None:
    await asked(site, peer, KARI, OLA)
    turn(site, days=1)
    await site.ask(KARI)
    turn(site, minutes=1)
    await site.http.post(await site.confirmation_path(KARI))
    turn(site, days=15)
    await actions.run(site.installation)
    assert [person.email for person in await site.people()] == [KARI]
