"""The root secret: given, or made once in the data folder, readable by its owner alone (DESIGN §7)."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import MisconfiguredError
from newsletter.settings import KEY_FILE, Settings

SECRET = "a root secret that is long enough for everybody"
READ_THE_KEY = """
import sys
from pathlib import Path
from newsletter.settings import Settings
while not Path(sys.argv[2]).exists():
    pass
print(Settings(data_dir=Path(sys.argv[1])).keyring().root.decode())
"""


def test_a_key_is_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    first = Settings(data_dir=folder).keyring()
    assert len(first.root) >= 32
    assert Settings(data_dir=folder).keyring() == first
    assert [file.name for file in folder.iterdir()] == [KEY_FILE]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Settings(data_dir=tmp_path).keyring()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path / "a").keyring() != Settings(data_dir=tmp_path / "b").keyring()


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    starting_gun = tmp_path / "go"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", READ_THE_KEY, str(tmp_path / "data"), str(starting_gun)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    starting_gun.touch()
    keys = [process.communicate(timeout=60)[0].strip() for process in started]
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 32
    assert [file.name for file in (tmp_path / "data").iterdir()] == [KEY_FILE]


def test_a_key_that_is_set_goes_first_and_makes_no_file(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path, secret_key=SECRET).keyring().root == SECRET.encode()
    assert list(tmp_path.iterdir()) == []


def test_the_key_before_a_rotation_is_in_the_ring(tmp_path: Path) -> None:
    mailed = Settings(secret_key=SECRET).keyring().sign("unsubscribe", b"alice")
    rotated = Settings(secret_key="another secret that is just as long", secret_key_previous=SECRET).keyring()
    assert rotated.read("unsubscribe", mailed) == b"alice"


def test_postgresql_without_a_secret_is_refused(tmp_path: Path) -> None:
    """Processes on several machines must share it: no token may depend on a file of one machine."""
    settings = Settings(data_dir=tmp_path / "data", database_url="postgresql://localhost/x")
    with pytest.raises(MisconfiguredError, match="NEWSLETTER_SECRET_KEY"):
        settings.keyring()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("content", ["", "short"])
def test_a_key_file_that_was_emptied_is_not_taken_for_a_key(content: str, tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text(content)
    with pytest.raises(MisconfiguredError, match=KEY_FILE):
        Settings(data_dir=tmp_path).keyring()
    assert (tmp_path / KEY_FILE).read_text() == content
