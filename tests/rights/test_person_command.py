"""`newsletter person show` and `person erase`, for whoever runs the server (RULES B1, B6)."""

import json

from tests.support.peer import SmtpPeer
from tests.support.program import Program
from tests.support.waiting import eventually

KARI = "kari@example.com"
SIGNUP = {"email": KARI, "given_name": "Kari", "agreed": True}


def test_showing_and_erasing_somebody(sqlite_program: Program, peer: SmtpPeer) -> None:
    run = sqlite_program
    run.command("new", "weekly", "--name", "Weekly", "--sender", "Weekly <weekly@example.com>", "--language", "en")
    assert run.http.post("/api/v1/newsletters/weekly/signups", json=SIGNUP).status_code == 202
    eventually(lambda: peer.mails, what="the question")
    assert run.http.post(peer.mails[0].link("confirm")).status_code == 200
    said = run.command("person", "show", "Kari@Example.com")
    assert KARI in said
    assert "Given name: Kari" in said
    assert "confirmed" in said
    data = run.json("person", "show", "-", given=f"{KARI}\n")
    assert data["person"]["given_name"] == "Kari"
    run.command("person", "erase", KARI, given="n\n", code=1)
    assert run.json("person", "show", KARI)["person"]
    run.command("person", "erase", "-", given=KARI, code=2)
    run.command("person", "erase", KARI, "--yes")
    left = json.loads(run.command("person", "show", KARI, "--json"))
    assert left["person"] is None
    assert left["held"] == []
    assert {tag["purpose"] for tag in left["tags"]} == {"receipts", "suppressions", "tombstones"}
    run.command("person", "show", "nobody@example.com", code=1)
    assert KARI not in run.log
