"""What docker-compose.yml runs is documented, watched, without rights it doesn't need, and holds no secret."""

import importlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from newsletter.clock import SystemClock
from newsletter.delivery import return_address
from newsletter.settings import PREFIX, Settings
from newsletter.tokens import new_id
from newsletter.unsubscribe.mailto import unsubscribe_mailbox
from tests.support.requirements import unavailable

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = importlib.import_module("yaml").safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|KEY|DATABASE_URL")
# Its master process begins as root and hands each of its parts to other users.
BEGINS_AS_ROOT = {"relay"}
ROOT_NEEDS = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"}


def instructions(name: str) -> list[str]:
    """Give the instructions of a Dockerfile, each on one line, without comments."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [" ".join(line.split()) for line in text.splitlines() if line and not line.startswith("#")]


def environment(service: dict[str, Any]) -> dict[str, str]:
    given: dict[str, str] = service.get("environment", {})
    return given


def test_each_variable_of_ours_is_a_setting() -> None:
    named = {name.removesuffix("_FILE").lower() for name in re.findall(rf"\b{PREFIX}([A-Z0-9_]+)", TEXT)}
    assert named - set(Settings.model_fields) == set()


def test_every_process_of_ours_gets_the_same_settings() -> None:
    ours = [environment(each) for each in SERVICES.values() if each.get("image") == "newsletter"]
    assert len(ours) == 3
    assert all(each == ours[0] for each in ours)


def test_two_of_each_run_and_nobody_serves_before_the_database_is_up_to_date() -> None:
    for name in ("web", "worker"):
        assert SERVICES[name]["deploy"]["replicas"] == 2
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert "--web-only" in SERVICES["web"]["command"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_watched_or_runs_once(name: str) -> None:
    service = SERVICES[name]
    once = service["restart"] == "no"
    assert once or service["healthcheck"].get("test")
    assert once or service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_only_the_rights_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    root = service["user"].partition(":")[0] in ("0", "root")
    assert root == (name in BEGINS_AS_ROOT)
    assert set(service.get("cap_add", ())) <= (ROOT_NEEDS if root else {"NET_BIND_SERVICE"})


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_comes_as_a_file_that_is_given_to_the_service(name: str) -> None:
    service = SERVICES[name]
    for variable, value in environment(service).items():
        if SECRET.search(variable):
            folder, _, secret = value.rpartition("/")
            assert (variable.endswith("_FILE"), folder) == (True, "/run/secrets")
            assert secret in service["secrets"]
    assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])


def test_no_secret_stands_in_the_file_or_in_the_repository() -> None:
    assert not re.search(r"://[^/\s\"]+:[^/\s\"@]+@", TEXT)
    kept_out = (ROOT / "deploy/secrets/.gitignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in kept_out if not line.startswith("#")] == ["*", "!.gitignore"]
    assert all(each["file"].startswith("deploy/secrets/") for each in COMPOSE["secrets"].values())


def test_only_the_proxy_and_the_try_out_mailbox_can_be_reached_from_outside() -> None:
    open_to_all = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert set(open_to_all) == {"proxy", "mailpit"}
    assert all(port.startswith("127.0.0.1:") for port in open_to_all["mailpit"])
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["database"]["networks"] == ["inside"]


def test_the_database_s_log_says_nothing_of_what_stands_in_a_row() -> None:
    """RULES C7, H6: an error's detail would name the address that is there already."""
    assert {"-clog_error_verbosity=terse", "-clog_min_error_statement=panic"} <= set(SERVICES["database"]["command"])


def test_making_the_secrets_makes_each_that_is_named_and_never_another_one_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    script = shutil.copy(ROOT / "deploy/make-secrets", tmp_path)
    subprocess.run(["sh", script], check=True, timeout=30)
    made = {each.name: each.read_text(encoding="ascii") for each in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert made["database_password"].strip() in made["database_url"]
    assert Settings(database_url=made["database_url"].strip(), secret_key=made["secret_key"].strip()).keyring()
    subprocess.run(["sh", script], check=True, timeout=30)
    assert made == {each.name: each.read_text(encoding="ascii") for each in (tmp_path / "secrets").iterdir()}
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


def test_a_worker_lives_as_long_as_it_touches_the_lock_that_it_holds(tmp_path: Path) -> None:
    mine, others = tmp_path / "worker-0.lock", tmp_path / "worker-1.lock"
    mine.touch()
    others.touch()
    held = tmp_path / "proc" / "7" / "fd"
    held.mkdir(parents=True)
    variables = {**os.environ, "NEWSLETTER_DATA_DIR": str(tmp_path), "WORKER_ALIVE_PROCESSES": str(tmp_path / "proc")}

    def alive() -> bool:
        done = subprocess.run(["sh", ROOT / "deploy/worker-alive"], env=variables, check=False, timeout=30)
        return done.returncode == 0

    assert not alive()
    (held / "9").symlink_to(mine)
    assert alive()
    a_minute_ago = mine.stat().st_mtime_ns - 60 * 10**9
    os.utime(mine, ns=(a_minute_ago, a_minute_ago))
    assert not alive()


def test_the_image_is_built_from_the_lock_and_runs_as_a_user_of_its_own() -> None:
    lines = instructions("Dockerfile")
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]
    assert lines.index("USER 10001:10001") > max(n for n, line in enumerate(lines) if line.startswith("FROM"))
    assert all("--frozen" in line and "--no-dev" in line for line in lines if " uv sync" in line)
    assert any("/health/live" in line for line in lines if line.startswith("HEALTHCHECK"))
    version = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    assert any(f"uv=={version[1]}" in line for line in lines)


@pytest.mark.parametrize("name", ["Dockerfile", "deploy/proxy/Dockerfile", "deploy/postfix/Dockerfile"])
def test_what_an_image_copies_is_there_and_not_kept_out(name: str) -> None:
    folder = (ROOT / name).parent
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for line in instructions(name):
        if line.startswith("COPY") and "--from=" not in line:
            for source in [word for word in line.split()[1:-1] if not word.startswith("--")]:
                assert (folder / source).exists(), source
                assert folder != ROOT or {f"!{source}", f"!{source}/"} & set(kept), source


def test_the_relay_hands_to_a_worker_what_comes_back_and_nothing_else(tmp_path: Path) -> None:
    keys, domain = Settings(secret_key="s" * 40).keyring(), "bounces.example.com"
    delivery = return_address.ReturnAddresses(keys, domain, new_id()).of(1, 0)
    letter = return_address.of_letter(keys, domain, new_id(), SystemClock().now())
    for address in (delivery, letter, unsubscribe_mailbox(keys, new_id(), domain)):
        assert handed_to(address, tmp_path) == "lmtp:inet:worker:8025"
    assert [handed_to(address, tmp_path) for address in ("kari@example.com", "b-12@example.com", f"x{delivery}")] == [
        ""
    ] * 3
    assert environment(SERVICES["worker"])["NEWSLETTER_INBOUND_LISTEN"] == "0.0.0.0:8025"
    assert set(SERVICES["worker"]["networks"]) & set(SERVICES["relay"]["networks"])


def handed_to(address: str, folder: Path) -> str:
    """Ask Postfix, which wants a configuration in some folder, where the relay's transport map sends an address."""
    (folder / "main.cf").write_text("compatibility_level = 3.6\n", encoding="ascii")
    postmap = shutil.which("postmap", path=f"/usr/sbin:{os.environ['PATH']}") or unavailable("Postfix is not installed")
    asked = [postmap, "-c", str(folder), "-q", address, f"regexp:{ROOT}/deploy/postfix/returned"]
    return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=30).stdout.strip()


def test_docker_itself_understands_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")
    done = subprocess.run(
        [docker, "compose", "--profile", "try", "config", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
