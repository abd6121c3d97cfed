"""The places that the settings name: a start with a secret, or a data folder, that is everybody's to read is refused,
and so is one with a file that can't be one.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from newsletter.errors import MisconfiguredError
from newsletter.settings import KEY_FILE, Settings, load, make_folder
from newsletter.settings.places import check_secret

SECRET = "a root secret that is long enough for everybody"
SECRETS = sorted(name for name, field in Settings.model_fields.items() if not field.repr)


def refused(settings: Mapping[str, object]) -> str:
    with pytest.raises(MisconfiguredError) as error:
        load({f"NEWSLETTER_{name}": str(value) for name, value in settings.items()})
    assert "hunter2" not in error.value.sentence
    return error.value.sentence


@pytest.mark.parametrize("mode", [0o755, 0o705, 0o701, 0o704, 0o702, 0o777])
def test_a_data_folder_that_others_may_look_into_is_refused(mode: int, tmp_path: Path) -> None:
    tmp_path.chmod(mode)
    sentence = refused({"DATA_DIR": tmp_path})
    assert sentence.startswith("NEWSLETTER_DATA_DIR ")
    assert f"chmod o= {tmp_path}" in sentence


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o770])
def test_one_that_a_group_may_is_not(mode: int, tmp_path: Path) -> None:
    """A volume in a cluster is handed over by its group."""
    tmp_path.chmod(mode)
    assert load({"NEWSLETTER_DATA_DIR": str(tmp_path)}).data_dir == tmp_path


def test_the_program_makes_its_own_for_its_owner_alone(tmp_path: Path) -> None:
    """So within a volume that is everybody's one names a folder that is not there yet."""
    tmp_path.chmod(0o777)
    settings = load({"NEWSLETTER_DATA_DIR": str(tmp_path / "data")})
    make_folder(settings.data_dir)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    load({"NEWSLETTER_DATA_DIR": str(tmp_path / "data")})


def test_a_data_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refused({"DATA_DIR": tmp_path / "file"}).startswith("NEWSLETTER_DATA_DIR ")
    for impossible in (tmp_path / "file" / "data", Path("/proc/nothing")):
        with pytest.raises(MisconfiguredError, match="NEWSLETTER_DATA_DIR"):
            make_folder(impossible)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    Settings(data_dir=tmp_path).keyring()
    load({"NEWSLETTER_DATA_DIR": str(tmp_path)})
    (tmp_path / KEY_FILE).chmod(0o644)
    assert f"chmod o= {tmp_path / KEY_FILE}" in refused({"DATA_DIR": tmp_path})
    (tmp_path / KEY_FILE).chmod(0o640)
    load({"NEWSLETTER_DATA_DIR": str(tmp_path)})


@pytest.mark.parametrize("name", SECRETS)
def test_so_is_every_secret_that_comes_from_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hunter2", encoding="utf-8")
    for mode in (0o644, 0o604, 0o602):
        file.chmod(mode)
        sentence = refused({f"{name.upper()}_FILE": file})
        assert sentence.startswith(f"NEWSLETTER_{name.upper()}_FILE: ")
        assert f"chmod o= {file}" in sentence


def test_secrets_are_what_is_never_shown() -> None:
    assert {"secret_key", "dkim_key", "dkim_ed25519_key", "smtp_url", "metrics_token", "imap_url"} <= set(SECRETS)


def test_what_is_no_secret_may_be_read_by_everybody(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("https://news.example.com", encoding="utf-8")
    (tmp_path / "address").chmod(0o644)
    assert load({"NEWSLETTER_BASE_URL_FILE": str(tmp_path / "address")}).host == "news.example.com"


def test_what_an_engine_hands_to_a_container_is_not_asked_for_its_mode() -> None:
    """Docker's own are 0444, and not to be changed; nobody else is in there. Elsewhere the mode is asked for."""
    with pytest.raises(FileNotFoundError):
        check_secret(Path("/run/secrets/none-of-this-name"), "X")


def test_a_setting_is_not_read_without_end() -> None:
    assert refused({"BASE_URL_FILE": "/dev/zero"}) == "NEWSLETTER_BASE_URL_FILE is too long for a setting."


@pytest.mark.parametrize("setting", ["HEADS_FILE", "TOMBSTONE_FILE"])
def test_a_file_outside_the_database_is_a_file_in_a_folder_that_is_there(setting: str, tmp_path: Path) -> None:
    assert refused({setting: tmp_path}).startswith(f"NEWSLETTER_{setting} is a folder")
    assert "not there" in refused({setting: tmp_path / "missing" / "file"})
    (tmp_path / "file").touch()
    assert "not there" in refused({setting: tmp_path / "file" / "file"})
    load({f"NEWSLETTER_{setting}": str(tmp_path / "file")})


def test_a_key_file_that_is_none_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(MisconfiguredError, match=KEY_FILE):
        Settings(data_dir=tmp_path).keyring()
