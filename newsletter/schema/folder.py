"""Where the migrations lie, and which is the newest of them."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def migrations_folder() -> Path:
    """Give the folder of the migrations: beside the package in a checkout, inside it in a wheel."""
    packaged = _PACKAGE / "_migrations"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "migrations"


def newest() -> str:
    """Give the name of the newest migration: with it their files begin, in their order."""
    return max(file.name.partition("_")[0] for file in (migrations_folder() / "versions").glob("[0-9]*_*.py"))
