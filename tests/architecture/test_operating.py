"""What docs/operating.md tells the operator to do protects every route whose path holds a token (RULES H6)."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from litestar.routes import HTTPRoute

from newsletter.serving.app import create_app
from newsletter.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
UNITS = sorted((ROOT / "deploy/systemd").iterdir())


def blocks(text: str) -> list[str]:
    """Give what stands between fences."""
    return re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folders_of_tokens(tmp_path: Path) -> set[str]:
    """Give the first part of every path that holds a token; in the console, which has others, the first two."""
    app = create_app(Settings(data_dir=tmp_path, secret_key="a secret that is long enough for a root secret"))
    paths = [route.path for route in app.routes if isinstance(route, HTTPRoute)]
    # The file name of a pixel is a token with `.gif` after it.
    with_token = [path.split("/")[1:] for path in paths if "{token" in path]
    return {"/".join(parts[: 2 if parts[0] == "console" else 1]) for parts in with_token} | {"open"}


def test_no_web_server_in_front_logs_a_path_with_a_token(folders_of_tokens: set[str]) -> None:
    assert {"click", "confirm", "unsubscribe"} <= folders_of_tokens
    (caddy,) = [block for block in blocks(TEXT) if "log_skip" in block]
    (skipped,) = re.findall(r"@tokens path (.*)\n\tlog_skip @tokens\n", caddy)
    assert {f"/{folder}/*" for folder in folders_of_tokens} - set(skipped.split()) == set()
    assert "request>uri delete" in caddy
    (nginx,) = [block for block in blocks(TEXT) if "proxy_pass" in block]
    (pattern,) = re.findall(r"location ~ (\S+) \{\n\s+access_log off;", nginx)
    assert [folder for folder in folders_of_tokens if not re.match(pattern, f"/{folder}/token")] == []
    assert set(re.findall(r"error_log (.*);", nginx)) == {"/dev/null emerg"}
    (line,) = re.findall(r"log_format newsletter '(.*)';", nginx)
    assert not {"$request", "$uri", "$request_uri", "$remote_addr", "$http_referer"} & set(line.split())


def test_the_proxy_of_the_composition_logs_no_path_at_all() -> None:
    caddy = (ROOT / "deploy/proxy/Caddyfile").read_text(encoding="utf-8")
    assert "request>uri delete" in caddy
    assert re.findall(r"^\s*log\b.*", caddy, re.MULTILINE) == ["\tlog default {"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_that_exists_with_few_rights(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert unit.name in TEXT
    for line in ("User=newsletter", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="):
        assert line in text.splitlines()
    analyse = shutil.which("systemd-analyze")
    if not analyse:
        pytest.skip("systemd-analyze is not installed")
    # Neither the program nor its user is at its place on the machine that tests.
    tried = tmp_path / unit.name.replace("@", "@1")
    tried.write_text(re.sub(r"^(User|Group)=.*\n|(?<=ExecStart=)\S+", _elsewhere, text, flags=re.MULTILINE))
    done = subprocess.run([analyse, "verify", tried], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def _elsewhere(found: re.Match[str]) -> str:
    return "" if found[1] else "/bin/true"
