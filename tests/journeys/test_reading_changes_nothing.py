"""Mail scanners open every link, some with a real browser's patience: reading changes nothing (promise P5)."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from litestar.routes import HTTPRoute
from sqlmodel import SQLModel, select

from newsletter.addresses import read_address
from newsletter.clock import TurnedClock
from newsletter.delivery.actions import schedule
from newsletter.installation import Installation
from newsletter.issues.actions import fix_links, write
from newsletter.measurement.links import click_token, open_token
from newsletter.rights.my.links import ask as ask_for_page
from newsletter.rights.my.links import link_token, settle
from newsletter.rights.my.tables import MyVisit
from newsletter.signup.actions import confirmation_token
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.actions import enter, subscribe
from newsletter.tokens import new_id, new_nonce
from newsletter.unsubscribe.actions import unsubscribe_token
from tests.web.site import SLUG, Site, running_site

# What may move: anonymous counters and their marks, the audit trail, and the signs of life of a worker (promise P5).
MAY_MOVE = {"count", "seen", "audit_entry", "heartbeat"}
METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Links:
    """Every kind of thing that may stand in a path."""

    issue: str
    open: str
    click: str
    confirm: str
    expired: str
    leave: str
    elsewhere: str
    deleted: str
    my_page: str

    def of(self, parameter: str) -> list[str]:
        """Give what to try for a parameter of a route: every token for every purpose, forged ones and nonsense."""
        tokens = [self.confirm, self.expired, self.leave, self.elsewhere, self.deleted, self.click, self.open]
        tokens.append(self.my_page)
        forged = [self.leave[:-4] + "AAAA", self.confirm.swapcase(), "", "x" * 600, "%00", "..%2f..%2fetc"]
        return {
            "slug": [SLUG, "nothing-here", "%00"],
            "issue_id": [self.issue, "a" * 26],
            "domain_id": ["0" * 64],
            "verb": ["pause", "resume", "cancel"],
            "file": [*(f"{token}.gif" for token in tokens), *forged],
            "file_path": ["site.css", "nothing.css", "%00"],
        }.get(parameter, [*tokens, *forged])


@pytest.fixture
async def site(installation: Installation, clock: TurnedClock) -> AsyncIterator[Site]:
    async with running_site(installation) as opened:
        yield opened


async def prepared(site: Site, clock: TurnedClock) -> Links:
    """Let there be Alice who is subscribed, Bob who has yet to confirm, a mailing, and a link of each kind."""
    installation, keys = site.installation, site.installation.keys
    await ask(site, "late@example.com")
    clock.turn(clock.now() + timedelta(hours=73))
    await ask(site, "bob@example.com")
    async with installation.database.write() as session:
        requests = {found.email: found.id for found in (await session.exec(select(SignupRequest))).all()}
        alice = await enter(session, clock, read_address("alice@example.com"), "en", {"given_name": "Alice"})
        subscription = await subscribe(session, clock, alice.id, site.newsletter.id)
        issue = await write(session, clock, site.newsletter.id, "Hello", "A [link](https://example.com/a).")
        await fix_links(session, issue.id, ("https://example.com/a",))
        await schedule(session, installation, issue.id, undo=True)
        await ask_for_page(session, installation.clock, read_address("alice@example.com"), "en")
        visit_id = (await session.exec(select(MyVisit.id))).one()
        assert await settle(session, installation, visit_id) == "alice@example.com"
    return Links(
        issue=issue.id,
        open=open_token(keys, issue.id, new_nonce()),
        click=click_token(open_token(keys, issue.id, new_nonce()), 0),
        confirm=confirmation_token(keys, requests["bob@example.com"]),
        expired=confirmation_token(keys, requests["late@example.com"]),
        leave=unsubscribe_token(keys, subscription.id),
        elsewhere=confirmation_token(keys, subscription.id),
        deleted=unsubscribe_token(keys, new_id()),
        my_page=link_token(keys, visit_id),
    )


async def ask(site: Site, email: str) -> None:
    answer = await site.api("POST", f"/newsletters/{SLUG}/signups", {"email": email, "agreed": True})
    assert answer.status_code == 202


def paths(site: Site, links: Links) -> list[str]:
    """Give every path of the route table, with everything that may stand in it."""
    found = set()
    for route in site.app.routes:
        if isinstance(route, HTTPRoute):
            names = [part for part in route.path_components if not isinstance(part, str)]
            for values in itertools.product(*(links.of(part.name) for part in names)):
                given = iter(values)
                parts = [part if isinstance(part, str) else next(given) for part in route.path_components]
                found.add("/" + "/".join(parts))
    return sorted(found)


async def everything(installation: Installation) -> dict[str, list[tuple[object, ...]]]:
    """Give every row of every table."""
    async with installation.database.read() as session:
        return {
            name: sorted((tuple(row) for row in await session.execute(table.select())), key=repr)
            for name, table in SQLModel.metadata.tables.items()
            if name not in MAY_MOVE
        }


async def test_reading_every_route_changes_nothing(site: Site, clock: TurnedClock) -> None:
    links = await prepared(site, clock)
    await site.sign_in()
    # On which day a key was used is noted once a day, whatever it reads; nothing else of it may move.
    assert (await site.api("POST", f"/newsletters/{SLUG}/subscribers/search", {})).status_code == 200
    visited = paths(site, links)
    assert len(visited) > 100
    before = await everything(site.installation)
    assert len(before["subscription"]) == 1
    for path in visited:
        for method in METHODS:
            answer = await site.browser.request(
                method, path, headers={"authorization": f"Bearer {site.key}"}, follow_redirects=False
            )
            assert answer.status_code not in (500, 501), (method, path)
    assert await everything(site.installation) == before


async def test_head_is_not_even_counted(site: Site, clock: TurnedClock) -> None:
    links = await prepared(site, clock)
    for method in ("HEAD", "OPTIONS"):
        await site.browser.request(method, f"/open/{links.open}.gif")
        await site.browser.request(method, f"/click/{links.click}", follow_redirects=False)
    await site.app.state.counting.write()
    async with site.installation.database.read() as session:
        for name in ("count", "seen"):
            assert (await session.execute(SQLModel.metadata.tables[name].select())).all() == []
