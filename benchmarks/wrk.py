"""Requests from wrk, as many as one server answers, over 20 connections."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.peers import program
from benchmarks.processes import ProcessEnded, Watch, run
from benchmarks.rounds import RATE, Figures

_CONNECTIONS = 20
_WARM_SECONDS = 1
_GET = """
local requests = {}
init = function()
  for path in io.lines(%s) do requests[#requests + 1] = wrk.format("GET", path) end
end
local number = 0
request = function() number = number %% #requests + 1; return requests[number] end
"""
_POST = """
local headers = {["content-type"] = "application/json"}
local number = 0
request = function()
  number = number + 1
  return wrk.format("POST", %s, headers, '{"email": "' .. %s .. number .. '@example.com", "agreed": true}')
end
"""


def get(port: int, pids: Mapping[str, int], folder: Path, paths: list[str], seconds: int) -> Figures:
    """Ask for the paths in turn; give the rate, and the server's µs for each request."""
    (folder / "paths").write_text("\n".join(paths), encoding="ascii")
    script = _GET % json.dumps(str(folder / "paths"))
    _load(port, pids, folder, script, _WARM_SECONDS)
    return _load(port, pids, folder, script, seconds)


def post(port: int, pids: Mapping[str, int], folder: Path, path: str, seconds: int) -> Figures:
    """Post signups, each with an address of its own; give the rate, and the server's µs for each."""
    _load(port, pids, folder, _POST % (json.dumps(path), json.dumps("warm")), _WARM_SECONDS)
    return _load(port, pids, folder, _POST % (json.dumps(path), json.dumps("reader")), seconds)


def _load(port: int, pids: Mapping[str, int], folder: Path, script: str, seconds: int) -> Figures:
    file = folder / "wrk.lua"
    file.write_text(script, encoding="ascii")
    watch = Watch({name: [pid] for name, pid in pids.items()})
    command: list[str | Path] = [
        program("wrk"),
        "-t1",
        f"-c{_CONNECTIONS}",
        f"-d{seconds}s",
        "-s",
        file,
        f"http://127.0.0.1:{port}",
    ]
    said = run(command).printed
    used = watch.stop()
    done = int(_find(r"(\d+) requests in", said))
    if "Non-2xx" in said or "Socket errors" in said or not done:
        raise ProcessEnded(f"not every request was answered:\n{said}")
    each = {f"{name} µs": cpu / done * 1e6 for name, cpu in used.cpu.items()}
    return {RATE: float(_find(r"Requests/sec:\s+([\d.]+)", said)), **each}


def _find(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    if found is None:
        raise ProcessEnded(f"wrk said:\n{said}")
    return found.group(1)
