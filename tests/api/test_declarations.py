"""Every route of the API is declared in the same way: with who may come in, its errors, and lists that end."""

from collections.abc import Iterator
from typing import Any

import httpx
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from newsletter.editors.keys import Scope
from newsletter.web.error_answers import PROBLEM
from newsletter.web.operations import Operation
from tests.web.site import SLUG, Site

NOBODY = "a" * 26
FOR_EVERYBODY = {"signUp"}
# Reading these gives no more than a handful, whatever there is.
ENDS_BY_ITSELF = {"RefusalsOutput"}


def handlers(site: Site) -> Iterator[HTTPRouteHandler]:
    """Give whoever answers under /api/v1, but for the answers to OPTIONS."""
    for route in site.app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/v1"):
            yield from (handler for handler in route.route_handlers if handler.http_methods != {"OPTIONS"})


def operations(site: Site) -> list[Operation]:
    """Give every declaration."""
    return [handler.opt["operation"] for handler in handlers(site)]


def entry(site: Site, operation: Operation) -> dict[str, Any]:
    """Give what the description says of an operation."""
    path = f"/api/v1{operation.path.replace(':str', '')}"
    found: dict[str, Any] = site.app.openapi_schema.to_schema()["paths"][path][operation.method.lower()]
    return found


def answer_of(site: Site, operation: Operation) -> dict[str, Any]:
    """Give the shape of an operation's answer, with its name as `title`."""
    content = entry(site, operation)["responses"][str(operation.status)]["content"]
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = site.app.openapi_schema.to_schema()["components"]["schemas"].get(name, {})
    return found


def test_each_is_declared(site: Site) -> None:
    undeclared = [handler for handler in handlers(site) if not isinstance(handler.opt.get("operation"), Operation)]
    assert undeclared == []
    names = [operation.name for operation in operations(site)]
    assert len(names) == len(set(names)) > 20


def test_each_needs_a_scope_or_says_openly_that_it_needs_none(site: Site) -> None:
    for operation in operations(site):
        security = entry(site, operation)["security"]
        if operation.name in FOR_EVERYBODY:
            assert (operation.access.scope, security) == (None, [{}])
        else:
            assert operation.access.scope in set(Scope), operation.name
            assert security == [{"key": [operation.access.scope]}]


async def test_without_a_key_nobody_comes_in_where_one_is_needed(site: Site) -> None:
    for operation in operations(site):
        path = operation.path.replace("{slug:str}", SLUG)
        path = path.replace("{issue_id:str}", NOBODY).replace("{import_id:str}", NOBODY)
        answer = await site.api(operation.method, path, {} if operation.body else None, key="")
        closed = answer.status_code == httpx.codes.UNAUTHORIZED
        assert closed == (operation.name not in FOR_EVERYBODY), operation.name


def test_each_documents_its_errors(site: Site) -> None:
    for operation in operations(site):
        told = {int(status): answer for status, answer in entry(site, operation)["responses"].items()}
        expected = {*operation.errors, 422}
        expected |= {401, 403} if operation.access.scope else set()
        expected |= {404} if "{" in operation.path else set()
        expected |= {413} if operation.method == "POST" else set()
        expected |= {400, 415} if operation.body else set()
        errors = {status for status in told if status >= 400}
        assert errors == expected, operation.name
        assert all(list(told[status]["content"]) == [PROBLEM] and told[status]["description"] for status in errors)


async def test_a_body_is_json_and_no_larger_than_it_says(site: Site) -> None:
    for operation in operations(site):
        if operation.body is None or operation.before:
            continue
        path = operation.path.replace("{slug:str}", SLUG).replace("{issue_id:str}", NOBODY)
        headers = {"authorization": f"Bearer {site.key}", "content-type": "text/plain"}
        answer = await site.browser.post(f"/api/v1{path}", content=b"{}", headers=headers)
        assert answer.status_code == 415, operation.name
        headers["content-type"] = "application/json"
        much = b" " * (operation.body.largest + 1)
        assert (await site.browser.post(f"/api/v1{path}", content=much, headers=headers)).status_code == 413


def test_every_list_comes_in_pages_that_end(site: Site) -> None:
    lists = 0
    for operation in operations(site):
        shape = answer_of(site, operation)
        items = shape.get("properties", {}).get("items")
        if items is None:
            continue
        lists += 1
        assert 0 < items.get("maxItems", 0) <= 100, operation.name
        if shape["title"] in ENDS_BY_ITSELF:
            continue
        assert "next" in shape["properties"], operation.name
        asked = entry(site, operation).get("parameters", [])
        assert operation.method == "POST" or "after" in [parameter["name"] for parameter in asked], operation.name
        assert "422" in entry(site, operation)["responses"]
    assert lists > 3
