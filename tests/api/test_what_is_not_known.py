"""What has no name here is refused before anything is done: a misspelt `dry_run` must not do the real thing."""

import json
from collections.abc import Iterator

import httpx
import pytest
from msgspec import inspect
from sqlmodel import func, select

from newsletter.delivery.tables import Mailing
from newsletter.imports.tables import Import
from newsletter.signup.tables import SignupRequest
from newsletter.web.inputs import Input
from newsletter.web.operations import Operation
from tests.api.test_declarations import entry, operations
from tests.web.site import SLUG, Site

NOBODY = "a" * 26
PEOPLE = {"people": [{"email": "kari@example.com"}], "source": "A fair", "basis": "consent"}


def path_of(operation: Operation) -> str:
    path = operation.path.replace("{slug:str}", SLUG)
    return path.replace("{issue_id:str}", NOBODY).replace("{import_id:str}", NOBODY)


async def ask(site: Site, operation: Operation, content: bytes | None = None, query: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {site.key}", "content-type": "application/json"}
    path = f"/api/v1{path_of(operation)}{query}"
    return await site.browser.request(operation.method, path, content=content, headers=headers)


def shapes(shape: inspect.Type) -> Iterator[type]:
    """Give every struct within the shape of a body."""
    if isinstance(shape, inspect.StructType):
        yield shape.cls
        for field in shape.fields:
            yield from shapes(field.type)
    for inner in (*getattr(shape, "types", ()), getattr(shape, "item_type", None)):
        if inner is not None:
            yield from shapes(inner)


async def test_every_route_refuses_a_parameter_that_it_does_not_know(site: Site) -> None:
    for operation in operations(site):
        answer = await ask(site, operation, b"{}" if operation.body else None, "?aftr=x")
        assert answer.status_code == 422, operation.name
        assert "aftr" in answer.json()["fields"], operation.name
    listing = next(each for each in operations(site) if each.name == "listNotices")
    assert "`after`" in (await ask(site, listing, query="?aftr=x")).json()["fields"]["aftr"]


async def test_every_body_refuses_a_field_that_it_does_not_know(site: Site) -> None:
    bodies = [operation for operation in operations(site) if operation.method == "POST"]
    assert len(bodies) > 8
    for operation in bodies:
        answer = await ask(site, operation, b'{"dryrun": true}')
        assert answer.status_code == 422, operation.name
        wrong = answer.json()["fields"]
        if operation.before is None or operation.name == "importPeople":
            assert ("dryrun" if operation.body else "body") in wrong, (operation.name, wrong)


def test_every_body_is_closed_and_described_as_such(site: Site) -> None:
    described = site.app.openapi_schema.to_schema()["components"]["schemas"]
    for operation in operations(site):
        if operation.body is None:
            assert "requestBody" not in entry(site, operation)
            continue
        handler = next(
            handler
            for route in site.app.routes
            for handler in getattr(route, "route_handlers", ())
            if handler.opt.get("operation") is operation
        )
        found = list(shapes(inspect.type_info(handler.fn.__annotations__["data"])))
        assert found, operation.name
        for struct in found:
            assert issubclass(struct, Input), struct
            assert described[struct.__name__]["additionalProperties"] is False


@pytest.mark.parametrize("said", [{"start_at": "2027-01-01T00:00:00Z"}, {"dry_run": True}, {"startsAt": None}])
async def test_a_mailing_is_not_begun_by_a_slip_of_the_pen(site: Site, said: dict[str, object]) -> None:
    issue = await site.draft()
    answer = await site.api("POST", f"/issues/{issue}/mailing", said)
    assert answer.status_code == 422
    (field,) = answer.json()["fields"]
    assert field == next(iter(said))
    assert "`starts_at`" in answer.json()["fields"][field]
    async with site.installation.database.read() as session:
        assert (await session.exec(select(func.count()).select_from(Mailing))).one() == 0


async def test_nothing_is_imported_by_one(site: Site) -> None:
    nested = PEOPLE | {"people": [{"emial": "kari@example.com"}]}
    for said, field, near in ((PEOPLE | {"dryrun": True}, "dryrun", "dry_run"), (nested, "people[0].emial", "email")):
        answer = await site.api("POST", f"/newsletters/{SLUG}/imports", said)
        assert answer.status_code == 422
        assert list(answer.json()["fields"]) == [field]
        assert f"`{near}`" in answer.json()["fields"][field]
    async with site.installation.database.read() as session:
        assert (await session.exec(select(func.count()).select_from(Import))).one() == 0


async def test_however_much_is_not_known_the_answer_is_short(site: Site) -> None:
    much = {f"{number}{'x' * 1000}": 1 for number in range(50)}
    answer = await site.api("POST", f"/newsletters/{SLUG}/exports", much)
    assert answer.status_code == 422
    assert len(answer.text) < 5000


async def test_a_steering_takes_no_body_and_an_empty_one_for_none(site: Site) -> None:
    issue = await site.draft()
    await site.api("POST", f"/issues/{issue}/mailing")
    assert (await site.api("POST", f"/issues/{issue}/mailing/cancel", {"dry_run": True})).status_code == 422
    assert (await site.api("GET", f"/issues/{issue}/mailing")).json()["state"] == "scheduled"
    assert (await site.api("POST", f"/issues/{issue}/mailing/pause", {})).status_code == 200


async def test_the_form_for_everybody_takes_what_browsers_send_with_it(site: Site) -> None:
    """On a foreign site a button has a name, and a frame of its own puts in what it likes."""
    fields = {"email": "kari@example.com", "agreed": "true", "subscribe": "Subscribe", "utm_source": "x"}
    answer = await site.post_form(f"/newsletters/{SLUG}", f"/newsletters/{SLUG}/signup", **fields)
    assert answer.status_code == 303
    async with site.installation.database.read() as session:
        assert (await session.exec(select(func.count()).select_from(SignupRequest))).one() == 1


BROKEN = [
    *(b"\xff", b'"\xff"', b'{"email": "\xff"}', b'{"\xc3": 1}', b'{"email": "\xed\xa0\x80"}', b"\xef\xbb\xbf{}"),
    *(b"{", b"[" * 5000, b'{"email": ' * 5000),
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
async def test_what_is_no_json_in_utf_8_could_not_be_read(site: Site, content: bytes) -> None:
    asked = [operation for operation in operations(site) if operation.body]
    assert len(asked) > 8
    for operation in asked:
        answer = await ask(site, operation, content)
        assert (answer.status_code, "fields" in answer.json()) == (400, False), operation.name
        assert answer.json()["detail"] == "The body could not be read as JSON."


async def test_a_letter_beyond_ascii_is_no_fault(site: Site) -> None:
    said = json.dumps({"email": "kåre@example.com", "agreed": True, "given_name": "Kåre"}, ensure_ascii=False).encode()
    signing = next(operation for operation in operations(site) if operation.name == "signUp")
    assert (await ask(site, signing, said)).status_code == 202
