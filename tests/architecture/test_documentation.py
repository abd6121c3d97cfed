"""Every setting, command and route is in the documentation, which names none that does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from litestar.routes import HTTPRoute

from newsletter.cli import cli
from newsletter.serving.app import create_app
from newsletter.settings import PREFIX, Settings

DOCS = Path(__file__).parents[2] / "docs"
ONLY_IN_THE_DEMO = "/demo"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}


def first_cells(name: str) -> list[str]:
    """Give the first cell of every row of the tables of a page."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]


def test_every_setting_is_documented_and_no_other() -> None:
    documented = {name for cell in first_cells("settings.md") for name in re.findall(rf"`{PREFIX}([A-Z0-9_]+)`", cell)}
    assert documented == {name.upper() for name in Settings.model_fields}


def commands(group: click.Command, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Give every command that can be typed, such as `editor add`."""
    if not isinstance(group, click.Group):
        yield " ".join(words)
        return
    for name, command in group.commands.items():
        yield from commands(command, (*words, name))


def test_every_command_is_documented_and_no_other() -> None:
    typed = [re.findall(r"`newsletter ([a-z -]*[a-z])", cell) for cell in first_cells("commands.md")]
    assert sorted(command for cell in typed for command in cell) == sorted(commands(cli))


def test_every_command_shows_an_example_in_its_help() -> None:
    def walk(group: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        if isinstance(group, click.Group):
            for name, command in group.commands.items():
                yield from walk(command, (*words, name))
        else:
            yield " ".join(words), group.help or ""

    without = [name for name, text in walk(cli, ()) if f"Example: newsletter {name}" not in text]
    assert without == []


@pytest.fixture
def routes(tmp_path: Path) -> set[tuple[str, str]]:
    """Give method and path pattern of every route of the program."""
    app = create_app(Settings(data_dir=tmp_path, secret_key="a secret that is long enough for a root secret"))
    return {
        (method, _pattern(route.path))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods & METHODS
    }


def _pattern(path: str) -> str:
    """Turn `/confirm/{token:str}` into a regular expression for what may stand there in the documentation."""
    parts = re.split(r"\{\w+:(\w+)\}", path)
    return "".join(re.escape(part) if n % 2 == 0 else {"path": ".+"}.get(part, "[^/]+") for n, part in enumerate(parts))


def documented_routes() -> set[tuple[str, str]]:
    """Give method and path of every route in the tables of the documentation."""
    found = set()
    for cell in first_cells("routes.md"):
        path = re.search(r"/[^\s`]*", cell)
        assert path, cell
        found |= {(method, path.group()) for method in METHODS & set(re.findall(r"[A-Z]+", cell[: path.start()]))}
    return found


def test_every_route_is_documented(routes: set[tuple[str, str]]) -> None:
    documented = documented_routes()
    missing = {
        f"{method} {pattern}"
        for method, pattern in routes
        # HEAD is the shadow of GET, and named only where it is another thing.
        if method != "HEAD" and not any(verb == method and re.fullmatch(pattern, path) for verb, path in documented)
    }
    assert missing == set()


def test_no_route_is_documented_that_does_not_exist(routes: set[tuple[str, str]]) -> None:
    invented = {
        f"{method} {path}"
        for method, path in documented_routes()
        if not path.startswith(ONLY_IN_THE_DEMO)
        and not any(verb == method and re.fullmatch(pattern, path) for verb, pattern in routes)
    }
    assert invented == set()
