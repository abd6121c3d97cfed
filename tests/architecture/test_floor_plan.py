"""Imports go down only: the contracts in pyproject.toml are kept, and none is missing. Everything lies in its room."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "newsletter"
FOLDERS = sorted({file.parent for file in HOUSE.rglob("*.py")})
MOST_FILES = 15
# What is shared by all pages lies in a folder of its own.
NO_PACKAGE_OF_TEMPLATES = {"layout": "frames and pieces that pages of every feature are built of"}
NO_PACKAGE_OF_TESTS = {
    "api": "promises that all routes of the API keep",
    "architecture": "promises that the code keeps about itself",
    "console": "promises that all pages of the console keep",
    "journeys": "the real program from outside, through all features",
    "support": "what stands around the program in the tests",
}


def test_the_import_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_feature_with_rooms_has_an_order_of_its_own() -> None:
    """A new room can't be forgotten: the contract is exhaustive, so it names the room or fails."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ordered = {
        container
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers" and contract.get("exhaustive")
        for container in contract["containers"]
    }
    with_rooms = {
        ".".join(folder.relative_to(ROOT).parts) for folder in FOLDERS for room in FOLDERS if room.parent == folder
    }
    assert with_rooms == ordered


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_can_be_overlooked_and_says_what_it_holds(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= MOST_FILES
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))


def unnamed(below: Path, holding: str) -> set[str]:
    """Give the folders below that hold such files and are named for no package or module of ours."""
    named = {file.parent.relative_to(below).as_posix() for file in below.rglob(holding)} - {"."}
    return {name for name in named if not (HOUSE / name).is_dir() and not (HOUSE / f"{name}.py").is_file()}


def test_templates_lie_where_the_code_does_that_shows_them() -> None:
    assert unnamed(HOUSE / "templates", "*.*") == set(NO_PACKAGE_OF_TEMPLATES)


def test_a_page_is_shown_by_its_own_room() -> None:
    shown = re.compile(r'"(?:templates/)?([a-z_/]+)/[a-z_]+\.(?:html|mjml)"')
    strangers = {}
    for file in HOUSE.rglob("*.py"):
        for template in shown.findall(file.read_text(encoding="utf-8")):
            room = file.parent.relative_to(HOUSE).as_posix()
            if template not in NO_PACKAGE_OF_TEMPLATES and room != template:
                strangers[file.relative_to(ROOT).as_posix()] = template
    assert strangers == {}


def test_tests_lie_where_the_code_does_that_they_are_about() -> None:
    assert unnamed(ROOT / "tests", "*.py") == set(NO_PACKAGE_OF_TESTS)


def test_where_a_change_goes_is_a_place_that_exists() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Where does my change go?")[2]
    rows = [row.partition("|")[2] for row in table.partition("\n## ")[0].splitlines() if row.startswith("| a ")]
    assert len(rows) >= 6
    paths = [path for row in rows for path in re.findall(r"`([a-z_]+/[\w/]*(?:\.\w+)?)`", row)]
    assert len(paths) > 20
    assert [path for path in paths if not (HOUSE / path).exists() and not (ROOT / path).exists()] == []
