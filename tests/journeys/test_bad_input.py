"""What nobody should send: a clear answer, nothing stored, no traceback in the answer or the log."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.journeys.story import SLUG, Company, hidden_fields
from tests.support.peer import SmtpPeer

BY_ITSELF = {"heartbeat", "chain_entry", "signing_key", "retention_run", "retention_state", "rewriting"}

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
SIGNUP, SIGNUP_API = f"/newsletters/{SLUG}/signup", f"/api/v1/newsletters/{SLUG}/signups"
ISSUES, SEARCH = f"/api/v1/newsletters/{SLUG}/issues", f"/api/v1/newsletters/{SLUG}/subscribers/search"
CRLF = "Kari\r\nBcc: everybody@example.com"
ADDRESSES = (
    *("", "mallory", "mallory@example.com\r\nBcc: x@example.com", "a@b@example.com", "m\0@example.com"),
    *("mallory@example.com,x@example.com", "<mallory@example.com>", "m" * 300 + "@example.com"),
)


@dataclass(frozen=True)
class Attack:
    """A request, and with what it is to be refused."""

    path: str
    statuses: tuple[int, ...]
    content: bytes | None = None
    kind: str = ""
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)


def form(path: str, *statuses: int, **fields: str) -> Attack:
    content = httpx.Request("POST", "http://example.com", data=fields).read()
    return Attack(path, statuses, content, FORM)


def json_of(path: str, *statuses: int, **fields: Any) -> Attack:
    # Python writes a lone surrogate as its escape, as an attacker would.
    return Attack(path, statuses, json.dumps(fields).encode(), JSON)


def on_the_fields() -> Iterator[Attack]:
    good = {"email": "mallory@example.com", "agreed": "true"}
    for name in (CRLF, "Kari\0", "Kari\u202eiraK", "http://example.com", "www.example.com/x", "K" * 65, "\x1b[2J"):
        for where in ("given_name", "family_name", "title", "employer"):
            yield form(SIGNUP, 422, **good, **{where: name})
            yield json_of(SIGNUP_API, 422, **good | {"agreed": True}, **{where: name})
    for address in ADDRESSES:
        yield form(SIGNUP, 422, email=address, agreed="true")
        yield json_of(SIGNUP_API, 422, email=address, agreed=True)
    yield form(SIGNUP, 422, email="mallory@example.com")
    yield form(SIGNUP, 422, **good, notice="forged")
    yield json_of(SIGNUP_API, 409, **good | {"agreed": True}, notice="0" * 64)
    for agreed in (False, "true", 1, None):
        yield json_of(SIGNUP_API, 422, email="mallory@example.com", agreed=agreed)
    yield json_of(ISSUES, 422, subject="Hello\r\nBcc: everybody@example.com", body="Hello")
    yield json_of(ISSUES, 422, subject="Hello\0", body="Hello")
    yield json_of(ISSUES, 422, subject="Hello", body="Hello\0")
    yield json_of(ISSUES, 422, subject="Hello", body="{{ password }}")
    yield json_of(SEARCH, 422, email="\0")
    yield form(SIGNUP + "?email=mallory@example.com", 422, agreed="true")


def on_the_bodies() -> Iterator[Attack]:
    wrongs: tuple[Any, ...] = ("\ud800", 10**400, [], {}, ["a"], 1.5)
    for wrong in wrongs:
        yield json_of(SIGNUP_API, 400, 422, email=wrong, agreed=True)
        yield json_of(SIGNUP_API, 400, 422, email="mallory@example.com", agreed=True, given_name=wrong)
        yield json_of(SEARCH, 400, 422, email=wrong)
        yield json_of(ISSUES, 400, 422, subject=wrong, body="Hello")
    for path, kind in ((SIGNUP, FORM), (SIGNUP_API, JSON), (SEARCH, JSON)):
        yield Attack(path, (413,), b"x" * 2_000_000, kind)
        yield Attack(path, (413,), b'{"email": "' + b"x" * 1_000_000 + b'"}', kind)
    for content in (b"", b"\xff\xfe", b"{", b"[" * 60_000, b'{"email":' * 7000, b"null", b'"x"', b"\0", b"[1e999]"):
        yield Attack(SIGNUP_API, (400, 422), content, JSON)
        yield Attack(ISSUES, (400, 422), content, JSON)
        yield Attack(SIGNUP, (422,), content, FORM)
        yield Attack(SIGNUP, (422,), content, "multipart/form-data; boundary=x")
        yield Attack(SIGNUP, (422,), content, "multipart/form-data")
    yield Attack(SIGNUP, (422,), b"email=a@example.com&email=%00&agreed=true", FORM)
    yield Attack(SIGNUP, (422,), b"email=%ff%fe@example.com&agreed=true", FORM)
    for kind in ("text/plain", FORM, "application/xml", ""):
        for path in (SIGNUP_API, ISSUES, SEARCH):
            yield Attack(path, (415,), b'{"email": "mallory@example.com", "agreed": true}', kind)
    yield Attack(SIGNUP, (415,), b'{"email": "mallory@example.com", "agreed": true}', JSON)


def on_the_paths() -> Iterator[Attack]:
    good = {"email": "mallory@example.com", "agreed": "true"}
    for slug in ("nothing", "%00", "..%2f..%2fetc", "a" * 5000, "%F0%9F%92%A9", "%ff", "ukesbrevet%0d%0aX-Evil:%20yes"):
        yield Attack(f"/newsletters/{slug}", (404,), method="GET")
        yield form(f"/newsletters/{slug}/signup", 404, **good)
        yield json_of(f"/api/v1/newsletters/{slug}/signups", 404, **good | {"agreed": True})
    for token in ("forged", "%00", "A" * 43, "..%2f", "%ff%fe", "x" * 4000):
        for method in ("GET", "POST"):
            yield Attack(f"/confirm/{token}", (404, 410), method=method)
            yield Attack(f"/unsubscribe/{token}", (404,), method=method)
        yield Attack(f"/click/{token}", (404,), method="GET")
    for path in ("../app.py", "%2e%2e/app.py", "..%2f..%2f..%2fetc/passwd", "%00", "....//app.py", "vendor/"):
        yield Attack(f"/static/{path}", (404,), method="GET")
    for key in ("", "Bearer", "Bearer nothing", "Basic eDp5", "Bearer " + "x" * 5000):
        headers = {"authorization": key}
        yield Attack(ISSUES, (401,), b'{"subject": "x", "body": "x"}', JSON, headers=headers)
    yield Attack("/console/newsletters", (403,), b"name=x", FORM)
    yield Attack("/console/sign-in", (403,), b"email=x&password=y", FORM)


def complaint(company: Company, attack: Attack) -> str | None:
    """Send it; say what is wrong with the answer."""
    headers = {"authorization": f"Bearer {company.key}", **({"content-type": attack.kind} if attack.kind else {})}
    request = company.program.http.build_request(
        attack.method, attack.path, content=attack.content, headers=headers | attack.headers
    )
    answer = company.program.http.send(request)
    kind, text = answer.headers.get("content-type", ""), answer.text
    wrong = []
    if answer.status_code not in attack.statuses:
        wrong.append(f"{answer.status_code} instead of {attack.statuses}")
    if attack.path.startswith("/api/"):
        problem = answer.json() if kind == "application/problem+json" else {}
        if problem.get("status") != answer.status_code or not problem.get("detail", "").endswith("."):
            wrong.append("no problem details")
    elif not kind.startswith("text/html") or "</h1>" not in text:
        wrong.append("no page")
    if "Traceback" in text or "x-evil" in answer.headers:
        wrong.append("it tells too much")
    shown = f"{attack.method} {attack.path[:80]} {attack.kind} {(attack.content or b'')[:90]!r}"
    return f"{shown}: {', '.join(wrong)}: {text[:300]}" if wrong else None


def stored(company: Company) -> dict[str, int]:
    """Give how many rows each table has, but for those in which a worker writes by itself."""
    file = company.program.data_dir / "newsletter.sqlite"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        asked = [name for name in tables if name not in BY_ITSELF]
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in asked}


def test_bad_input_gets_a_clear_answer_and_leaves_nothing(sqlite_company: Company, peer: SmtpPeer) -> None:
    """RULES H4, G3: nothing that was typed becomes a header, a file, a row or a log line."""
    company = sqlite_company
    before = stored(company)
    attacks = (*on_the_fields(), *on_the_bodies(), *on_the_paths())
    assert [found for attack in attacks if (found := complaint(company, attack))] == []
    assert stored(company) == before
    log = company.program.log
    for trace in ("Traceback", "mallory", "request_failed", "everybody@", "x-evil"):
        assert trace not in log
    assert {line["status"] for line in map(json.loads, log.splitlines()) if "status" in line} <= {*range(200, 500)}
    assert peer.mails == []


def test_a_link_of_another_newsletter_is_good_for_nothing_else(sqlite_company: Company, peer: SmtpPeer) -> None:
    """RULES H5: a token is bound to its purpose and its newsletter."""
    program = sqlite_company.program
    program.command("new", "other", "--name", "Other", "--sender", "news@example.com")
    form_page = program.http.get("/newsletters/other").text
    fields = hidden_fields(form_page) | {"email": "kari@example.com", "agreed": "true"}
    answer = program.http.post(SIGNUP, data=fields)
    assert answer.status_code == 422
    assert "notice" in answer.text.lower()
    assert sqlite_company.find("kari@example.com") == []
    assert peer.mails == []
