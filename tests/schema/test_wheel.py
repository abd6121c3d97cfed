"""What is installed holds all that the program needs at run time."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

from newsletter import schema
from tests.support.requirements import unavailable

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_migrations_templates_pictures_and_languages(tmp_path: Path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        unavailable("no hatchling here: it builds the wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "newsletter"
    beside = {
        path.relative_to(ROOT).as_posix()
        for folder in ("templates", "static", "locales")
        for path in (package / folder).rglob("*")
        if path.is_file()
    }
    migrations = {
        f"newsletter/_migrations/{path.relative_to(schema.migrations_folder()).as_posix()}"
        for path in schema.migrations_folder().rglob("*.py")
    }
    assert beside | migrations <= held, sorted((beside | migrations) - held)
    assert not {name for name in held if name.split("/")[0] in ("tests", "docs", "benchmarks")}
