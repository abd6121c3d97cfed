#!/bin/sh
# SQLite 3.54.1 (by apsw 3.54.1.0 from PyPI; the same with 3.40.1): PRAGMA data_version changes where no data did, and
# stays where rows were updated.
#
# Guess: in WAL mode data_version tells of commits by others: a checkpoint that moves nothing leaves it, an UPDATE
#        of every row changes it.
# Seen:  wal_checkpoint(TRUNCATE) by another connection changes it, each time, even of an empty log; PASSIVE, FULL and
#        RESTART leave it. And `UPDATE t SET a = a`, committed by another, leaves it: no page came out different.
# Output: UPDATE t SET a = a: 0
#         PASSIVE: 0, FULL: 0, RESTART: 0, TRUNCATE: 1, TRUNCATE again: 1
# Why:   data_version is the cheap way to poll for new work and to keep a cache. A backup or a housekeeper that cuts
#        the log short wakes every poller for nothing; and a heartbeat that writes what stands there already is unseen.
# Ways round: take a change for a hint and look; let a heartbeat write something new.
# Documented: the manual says it changes when the file "has been modified" and does not speak of checkpoints.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.54.1.0
"$work/venv/bin/python" - "$work/people.sqlite" <<'PY'
import sys

import apsw

writer, reader = apsw.Connection(sys.argv[1]), apsw.Connection(sys.argv[1])
writer.execute("PRAGMA journal_mode = wal")
writer.execute("CREATE TABLE t (a)")
writer.execute("INSERT INTO t VALUES (1), (2)")


def version() -> int:
    return reader.execute("PRAGMA data_version").fetchall()[0][0]


def grows(statement: str) -> int:
    before = version()
    writer.execute(statement).fetchall()
    return version() - before


seen = {"INSERT": grows("INSERT INTO t VALUES (3)"), "UPDATE t SET a = a": grows("UPDATE t SET a = a")}
for mode in ("PASSIVE", "FULL", "RESTART", "TRUNCATE", "TRUNCATE again"):
    seen[mode] = grows(f"PRAGMA wal_checkpoint({mode.split()[0]})")
print(apsw.sqlite_lib_version(), ", ".join(f"{name}: {growth}" for name, growth in seen.items()))
if list(seen.values()) != [1, 0, 0, 0, 0, 1, 1]:
    sys.exit("SQLite now counts data_version otherwise: this finding has changed.")
PY
