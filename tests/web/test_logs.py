"""The log of a whole loop: one JSON object a line, no address, name or token (RULES H6, P2), no open or click (P3)."""

import json
import re
from typing import Any

import pytest
import structlog

from newsletter.web.edge import Edge
from tests.journeys.story import SLUG, Company, hidden_fields, open_company
from tests.support.peer import SmtpPeer
from tests.support.program import Program
from tests.support.waiting import eventually

PERSON = {"email": "torbjoern@example.com", "given_name": "Torbjoern", "family_name": "Lindqvist"}


def loop(company: Company, peer: SmtpPeer) -> list[str]:
    """Sign up, confirm, be searched for, receive, open, click, be refused, leave; give every secret that took part."""
    program = company.program
    form = hidden_fields(program.http.get(f"/newsletters/{SLUG}").text) | PERSON | {"agreed": "true"}
    program.http.post(f"/newsletters/{SLUG}/signup", data=form)
    program.http.post(f"/newsletters/{SLUG}/signup", data=form | {"family_name": "www.example.com/Lindqvist"})
    (letter,) = eventually(lambda: peer.mails_to(PERSON["email"]))
    program.http.post(letter.link("confirm"))
    assert company.find(PERSON["email"])
    peer.refuse("dead@example.com")
    program.http.post(f"/api/v1/newsletters/{SLUG}/signups", json={"email": "dead@example.com", "agreed": True})
    company.finished(company.write_and_send())
    mail = peer.mails_to(PERSON["email"])[-1]
    program.http.get(str(mail.pixel))
    program.http.get(mail.links("click")[0])
    program.http.head(str(mail.pixel))
    program.http.head(mail.links("click")[0])
    program.http.get("/click/mangled")
    program.http.get(f"/nothing/{PERSON['email']}?email={PERSON['email']}")
    with company.signed_in() as browser:
        browser.post(f"/console/newsletters/{SLUG}/subscribers", data={"query": PERSON["email"]})
    program.http.post(mail.one_click)
    urls = [letter.link("confirm"), mail.one_click, str(mail.pixel), *mail.links("click")]
    return [url.rpartition("/")[2].removesuffix(".gif") for url in urls]


def test_the_log_of_a_whole_loop_names_nobody(sqlite_program: Program, peer: SmtpPeer) -> None:
    company = open_company(sqlite_program)
    tokens = loop(company, peer)
    assert sqlite_program.stop() == 0
    log = sqlite_program.log
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"event", "level", "timestamp"} <= set(lines[0])
    routes = {line["route"] for line in lines if line["event"] == "request"}
    assert {"/confirm/{token}", "/unsubscribe/{token}", "unmatched"} <= routes
    assert not {"/click/{token}", "/open/{file}"} & routes, "their times could be held against the order of delivery"
    assert not re.search(r"[^\s\"]@|127\.0\.0\.1|Mozilla|httpx", log)
    for secret in (*tokens, *PERSON.values(), "dead", company.key):
        assert secret.lower() not in log.lower()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("route", ["/open/{file}", "/click/{token}"])
@pytest.mark.parametrize(("status", "lines"), [(200, 0), (302, 0), (404, 0), (500, 1), (503, 1)])
async def test_an_open_or_click_leaves_a_line_only_where_the_service_failed(
    method: str, route: str, status: int, lines: int
) -> None:
    """Promise P3: a line's time could be held against the order of delivery."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status})

    async def nothing(*_: Any) -> Any:
        """Stand in for a connection."""

    scope: Any = {"type": "http", "method": method, "path_template": route}
    with structlog.testing.capture_logs() as log:
        await Edge(app)(scope, nothing, nothing)
    assert len(log) == lines
