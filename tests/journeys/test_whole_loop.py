"""The whole loop on the real program: sign up, confirm, receive, be counted, leave, be forgotten."""

from pathlib import Path
from typing import Any

import httpx

from tests.journeys import remains, wire
from tests.journeys.story import SLUG, Company, hidden_fields
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer
from tests.support.program import Program
from tests.support.waiting import eventually

ALICE = "Alice.Only@Example.com"
BJORG = {
    "email": "bjørg.ærlig@example.com",
    "given_name": "Bjørg Ågot",
    "family_name": "Ærfugløy",
    "title": "Førstebibliotekær",
    "employer": "Blåbærgrøt og sønner",
}
TARGETS = ("https://example.com/en?a=1&b=2", "https://example.com/to", "https://example.com/tre")
MAIL_PROGRAM = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Thunderbird/128.0"}


def test_from_the_signup_to_being_forgotten(company: Company, peer: SmtpPeer) -> None:
    """RULES A8, C1, C8, D1, E1-E6, G1-G7; promises P2 and P5."""
    program = company.program
    company.readers(198)
    sign_up_by_the_api(program)
    sign_up_by_the_form(program)
    for email in (ALICE, BJORG["email"]):
        confirm_from_the_mailbox(company, peer, email)
    found = company.find(BJORG["email"])[0]
    assert {field: found[field] for field in BJORG} == BJORG

    before = len(peer.mails)
    issue = company.write_and_send()
    standing = company.finished(issue)
    assert (standing["audience"], standing["delivered"]) == (200, 200)
    issues = peer.mails[before:]
    assert len({mail.recipients for mail in issues}) == len(issues) == 200
    assert len({mail.message["Message-ID"] for mail in issues}) == 200
    for mail in issues:
        wire.check(mail, TARGETS)
    (to_bjorg,) = (mail for mail in issues if mail.recipients == (BJORG["email"],))
    assert "Hei Bjørg Ågot" in to_bjorg.text
    (to_alice,) = (mail for mail in issues if mail.recipients[0].lower() == ALICE.lower())
    assert "Hei du" in to_alice.text

    be_counted(company, issue, to_bjorg)
    figures = company.answer("GET", f"/issues/{issue}/figures")
    leave(program, to_bjorg, to_alice)
    assert company.find(BJORG["email"]) == company.find(ALICE) == []
    nothing_is_left(program, [*BJORG.values(), ALICE])
    assert company.answer("GET", f"/issues/{issue}/figures") == figures
    assert company.mailing(issue) == standing


def sign_up_by_the_api(program: Program) -> None:
    path = f"/api/v1/newsletters/{SLUG}/signups"
    answer = program.http.post(path, json={"email": ALICE, "agreed": True})
    assert (answer.status_code, answer.json()) == (202, {})


def sign_up_by_the_form(program: Program) -> None:
    page = program.http.get(f"/newsletters/{SLUG}")
    assert 'name="agreed" value="true" required' in page.text
    assert "checked" not in page.text
    form = hidden_fields(page.text) | BJORG | {"agreed": "true"}
    answer = program.http.post(f"/newsletters/{SLUG}/signup", data=form)
    assert answer.status_code == 303
    assert program.http.get(answer.headers["location"]).status_code == 200


def confirm_from_the_mailbox(company: Company, peer: SmtpPeer, email: str) -> None:
    """GET shows, POST confirms (RULES E5); the letter says nothing that was typed (RULES A8)."""
    (letter,) = eventually(lambda: mails_to(peer, email), what="the confirmation letter")
    assert not [typed for field, typed in BJORG.items() if field != "email" and typed in letter.text + letter.html]
    assert letter.pixel is None
    link = letter.link("confirm")
    page = company.program.http.get(link)
    assert page.status_code == 200
    assert company.find(email)[0]["state"] == "pending"
    assert company.program.http.post(link).status_code == 200
    assert company.find(email)[0]["state"] == "active"
    eventually(lambda: len(mails_to(peer, email)) == 2, what="the copy of the agreement")


def mails_to(peer: SmtpPeer, email: str) -> list[ReceivedMail]:
    return [mail for mail in peer.mails if mail.recipients[0].lower() == email.lower()]


def be_counted(company: Company, issue: str, mail: ReceivedMail) -> None:
    """HEAD never counts, GET does, and the same reader is one (RULES D1, P5)."""
    http = company.program.http
    pixel, clicks = str(mail.pixel), mail.links("click")
    for url in (pixel, *clicks):
        http.head(url, headers=MAIL_PROGRAM)
    for _ in range(2):
        assert http.get(pixel, headers=MAIL_PROGRAM).headers["content-type"] == "image/gif"
    answers = [http.get(url, headers=MAIL_PROGRAM) for url in clicks]
    assert {answer.headers["location"] for answer in answers} == set(TARGETS)

    def counted() -> dict[str, Any]:
        figures = company.answer("GET", f"/issues/{issue}/figures")
        assert figures["opens"] == {"total": 2, "unique": 1, "machine": 0}
        assert (figures["clicks"]["total"], figures["clicks"]["unique"]) == (3, 1)
        assert {link["url"]: link["total"] for link in figures["clicks"]["links"]} == dict.fromkeys(TARGETS, 1)
        return dict(figures)

    eventually(counted, what="the counting of an open and of clicks")


def leave(program: Program, multipart: ReceivedMail, urlencoded: ReceivedMail) -> None:
    """One click as Gmail sends it, twice each: no cookie, no redirect, 200 also when the person is gone (RULES E2)."""
    with httpx.Client(trust_env=False) as gmail:
        for _ in range(2):
            ways: tuple[tuple[str, dict[str, Any]], ...] = (
                (multipart.one_click, {"files": {"List-Unsubscribe": (None, "One-Click")}}),
                (urlencoded.one_click, {"data": {"List-Unsubscribe": "One-Click"}}),
            )
            for url, body in ways:
                answer = gmail.post(url, **body)
                assert answer.status_code == 200
                assert "set-cookie" not in answer.headers
    assert program.http.get(multipart.one_click).status_code == 200


def nothing_is_left(program: Program, words: list[str]) -> None:
    """RULES C7: raw files, write-ahead log, queue and log; on PostgreSQL every row of every table."""
    folder: Path = program.folder

    def forgotten() -> bool:
        assert remains.in_files(folder, words) == []
        return True

    eventually(forgotten, what="forgetting")
    if url := program.environment.get("NEWSLETTER_DATABASE_URL"):
        assert remains.in_rows(url, words) == []
