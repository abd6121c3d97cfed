"""A key opens what its scope says of the newsletters it is for, on every route, and nothing else (RULES H8)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from newsletter.agreements.opening import open_newsletter
from newsletter.delivery.actions import schedule
from newsletter.editors.keys import Scope
from newsletter.editors.keys import actions as key_actions
from newsletter.editors.keys.belonging import says_a_newsletter
from newsletter.editors.keys.rules import Wanted
from newsletter.imports.tables import Import, ImportState
from newsletter.issues.actions import write
from newsletter.tokens import new_id
from newsletter.web.operations import Operation
from tests.signup.site import Rows, everything
from tests.web.site import SLUG, Site

OTHER = "other"
CLOSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND)
BODIES: dict[str, dict[str, object]] = {
    "createIssue": {"subject": "Hi", "body": "Hello"},
    "importPeople": {"people": [{"email": "kari@example.com"}], "source": "fair", "basis": "consent"},
    "seeAlarms": {"code": "5.7.1", "up_to": "0-0"},
    "resendInDoubt": {"all": True},
    "letInDoubtBe": {"all": True},
}


@dataclass(frozen=True)
class Things:
    """What a newsletter has that an address may name."""

    newsletter_id: str
    slug: str
    issue_id: str
    import_id: str

    def path(self, operation: Operation) -> str:
        """Give the path of an operation on these."""
        path = operation.path
        for name in ("slug", "issue_id", "import_id"):
            path = path.replace(f"{{{name}:str}}", getattr(self, name))
        assert "{" not in path, f"a new kind of name in {path}: say in `belonging` to which newsletter it leads"
        return path


def operations(site: Site) -> list[Operation]:
    """Give every route of the API that needs a key."""

    def handlers() -> Iterator[HTTPRouteHandler]:
        for route in site.app.routes:
            if isinstance(route, HTTPRoute) and route.path.startswith("/api/v1"):
                yield from (handler for handler in route.route_handlers if handler.http_methods != {"OPTIONS"})

    found = [handler.opt["operation"] for handler in handlers()]
    return [operation for operation in found if operation.access.scope]


async def things(site: Site, slug: str) -> Things:
    """Let a newsletter have an issue with a mailing, and an import."""
    installation = site.installation
    async with installation.database.write() as session:
        newsletter_id = site.newsletter.id
        if slug != SLUG:
            given = {"name": slug, "sender": f"News <{slug}@example.com>", "language": "en"}
            newsletter_id = (await open_newsletter(session, installation, slug, given)).id
        issue = await write(session, installation.clock, newsletter_id, "Hello", "Hello")
        await session.flush()
        await schedule(session, installation, issue.id, undo=False)
        now = installation.clock.now()
        job = Import(
            id=new_id(),
            newsletter_id=newsletter_id,
            actor="cli",
            state=ImportState.UPLOADED,
            file_name="people.csv",
            size=1,
            file_hash="0" * 64,
            encoding="utf-8",
            delimiter=",",
            created_at=now,
            changed_at=now,
        )
        session.add(job)
    return Things(newsletter_id, slug, issue.id, job.id)


async def key(site: Site, scopes: list[str], newsletters: list[str] | None) -> str:
    """Make a key for these."""
    async with site.installation.database.write() as session:
        return (await key_actions.make(session, site.installation.clock, Wanted("k", scopes, newsletters)))[0]


async def ask(site: Site, operation: Operation, whose: Things, made: str) -> httpx.Response:
    """Use an operation on a newsletter's things."""
    body = BODIES.get(operation.name, {}) if operation.body else None
    return await site.api(operation.method, whose.path(operation), body, key=made)


def stored(rows: Rows) -> str:
    """Give all that is stored but on which day keys were used."""
    return json.dumps({name: value for name, value in rows.items() if name != "api_key"}, default=str)


async def test_every_route_with_every_scope_and_every_choice_of_newsletters(site: Site) -> None:
    """What is closed changes nothing; and what is another newsletter's is answered as what is not there."""
    own, others = await things(site, SLUG), await things(site, OTHER)
    choices = {"own": [own.newsletter_id], "both": [own.newsletter_id, others.newsletter_id], "every": None}
    made = {(scope, name): await key(site, [scope], ids) for scope, (name, ids) in product(Scope, choices.items())}
    nothing = Things(new_id(), "nothing-here", new_id(), new_id())
    before = stored(await everything(site.installation, set()))
    opens = []
    for operation in operations(site):
        names_one = "{" in operation.path
        for scope, name in made:
            for whose in (own, others):
                wanted = (operation, whose, made[scope, name])
                if scope != operation.access.scope:
                    assert (await ask(site, *wanted)).status_code == 403, (operation.name, scope)
                elif not names_one and name != "every":
                    assert (await ask(site, *wanted)).status_code == 403, operation.name
                elif whose is others and name == "own":
                    closed, missing = await ask(site, *wanted), await ask(site, operation, nothing, wanted[2])
                    assert (closed.status_code, closed.json()) == (404, missing.json()), operation.name
                else:
                    opens.append(wanted)
    assert stored(await everything(site.installation, set())) == before
    assert len(opens) > 80
    for operation, whose, good in opens:
        answer = await ask(site, operation, whose, good)
        expected_missing = operation.name == "seeAlarms"
        assert answer.status_code not in CLOSED or (expected_missing and answer.status_code == 404), (
            operation.name,
            answer.text,
        )


async def test_a_key_whose_newsletters_are_gone_opens_nothing(site: Site) -> None:
    own = await things(site, SLUG)
    made = await key(site, list(Scope), [])
    for operation in operations(site):
        assert (await ask(site, operation, own, made)).status_code in CLOSED


@pytest.mark.parametrize("parameters", [{}, {"subscriber_id": "x"}, {"slug": "weekly", "person": "x"}])
def test_an_address_of_a_new_kind_is_nobodys_until_it_is_said_whose_it_is(parameters: dict[str, str]) -> None:
    assert not says_a_newsletter(parameters)


async def test_odd_names_in_an_address_lead_to_nothing(site: Site) -> None:
    made = await key(site, list(Scope), [site.newsletter.id])
    for slug in ("%00", "Weekly", "weekly%20", "' OR 1=1 --", "x" * 70):
        answer = await site.api("GET", f"/newsletters/{slug}/notices", key=made)
        assert answer.status_code == 404, slug
