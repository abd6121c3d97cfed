"""OpenDKIM's `opendkim-testmsg` as a verifier that owes nothing to ours.

It asks the DNS for keys, and can't be told where. So it runs in a namespace of its own, where there is no network but a
loopback, and on that a DNS server that knows the keys alone.
"""

import base64
import fcntl
import json
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.requirements import unavailable

_PROGRAM = "/usr/sbin/opendkim-testmsg"
_ALONE = ("unshare", "--net", "--mount")
_SET_FLAGS, _UP = 0x8914, 0x1
_TXT, _IN, _NO_SUCH_NAME = 16, 1, 0x8183
_FOUND, _SAME_NAME = 0x8180, b"\xc0\x0c"


def complaints(mails: Sequence[bytes], records: Mapping[str, str]) -> list[str]:
    """Let it verify each mail against these TXT records; give what it says about those it does not like.

    Skips where it is not installed, or where a namespace of its own is not allowed.
    """
    if not Path(_PROGRAM).exists():
        unavailable("no opendkim-testmsg here: install Debian's opendkim-tools")
    if not allowed():
        pytest.skip("opendkim-testmsg needs a namespace of its own, which is not allowed here")
    given = {"records": dict(records), "mails": [base64.b64encode(mail).decode() for mail in mails]}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [*_ALONE, sys.executable, "-m", __name__],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def allowed() -> bool:
    """Say whether a namespace of its own is allowed here."""
    if shutil.which(_ALONE[0]) is None:
        return False
    return subprocess.run([*_ALONE, "true"], capture_output=True, check=False).returncode == 0


def _verify_all() -> None:
    given = json.load(sys.stdin)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        fcntl.ioctl(server, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))
        server.bind(("127.0.0.1", 53))
        with tempfile.NamedTemporaryFile("w", prefix="resolv-") as configuration:
            configuration.write("nameserver 127.0.0.1\noptions timeout:2 attempts:2\n")
            configuration.flush()
            subprocess.run(["mount", "--bind", configuration.name, "/etc/resolv.conf"], check=True)
            threading.Thread(target=_serve, args=(server, given["records"]), daemon=True).start()
            found = [_verify(base64.b64decode(mail)) for mail in given["mails"]]
    sys.stdout.write(json.dumps([said for said in found if said]))


def _verify(mail: bytes) -> str:
    done = subprocess.run([_PROGRAM], input=mail, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace").strip()
    return said or ("" if done.returncode == 0 else f"exit code {done.returncode}")


def _serve(server: socket.socket, records: dict[str, str]) -> None:
    while True:
        question, asker = server.recvfrom(4096)
        server.sendto(_answer(question, records), asker)


def _answer(question: bytes, records: dict[str, str]) -> bytes:
    """Answer a question of the DNS (RFC 1035): one TXT record, or that there is none."""
    labels, place = [], 12
    while length := question[place]:
        labels.append(question[place + 1 : place + 1 + length].decode())
        place += length + 1
    asked = question[12 : place + 5]
    record = records.get(".".join(labels).lower())
    if record is None:
        return question[:2] + struct.pack("!5H", _NO_SUCH_NAME, 1, 0, 0, 0) + asked
    parts = [record[start : start + 255].encode() for start in range(0, len(record), 255)]
    text = b"".join(bytes([len(part)]) + part for part in parts)
    answer = _SAME_NAME + struct.pack("!HHIH", _TXT, _IN, 60, len(text)) + text
    return question[:2] + struct.pack("!5H", _FOUND, 1, 1, 0, 0) + asked + answer


if __name__ == "__main__":
    _verify_all()
