"""The journal of a window says after a crash what became of each delivery, or that it is not to be trusted (P4)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.clock import SystemClock
from newsletter.delivery import ledger
from newsletter.delivery.lane import journal
from newsletter.delivery.lane.journal import Journal
from newsletter.delivery.tables import Block
from newsletter.installation import Installation
from newsletter.mail.outcome import Outcome, OutcomeKind, Stage
from newsletter.worker import Worker
from tests.delivery.cast import mailing_to, people

IN_DOUBT = Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)
DELIVERED = Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
FIRST, LAST = 40, 59
DAY = 24 * 3600.0

_answered = st.builds(
    Outcome,
    st.sampled_from([OutcomeKind.DEFERRED, OutcomeKind.REFUSED]),
    st.sampled_from(list(Stage)),
    st.none() | st.integers(200, 599),
    st.none() | st.from_regex(r"\A[245](\.(0|[1-9][0-9]{0,2})){2}\Z"),
    st.booleans(),
)
_unknown = st.sampled_from([IN_DOUBT, Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.DATA, 421)])
# What was noted of a delivery: that it was not begun, that it was begun, or what it came to.
_notes = st.none() | st.just("begun") | st.just(DELIVERED) | _answered | _unknown


def block(lease: str = "lease", done_to: int = FIRST, marked_to: int = LAST + 1) -> Block:
    return Block(mailing_id="m", number=0, first=0, last=99, done_to=done_to, marked_to=marked_to, lease=lease)


def opened(folder: Path, of: Block | None = None) -> Journal:
    return Journal(folder, of or block(), FIRST, LAST)


@settings(max_examples=60)
@given(notes=st.lists(_notes, min_size=LAST - FIRST + 1, max_size=LAST - FIRST + 1))
def test_what_was_noted_is_read_as_it_was(tmp_path_factory: pytest.TempPathFactory, notes: list[object]) -> None:
    folder = tmp_path_factory.mktemp("journal")
    kept = opened(folder)
    expected: dict[int, Outcome | None] = {}
    for number, note in enumerate(notes, FIRST):
        expected[number] = None
        if note is not None:
            kept.begin(number)
            expected[number] = IN_DOUBT
        if isinstance(note, Outcome):
            kept.settle(number, note)
            known = note.kind in (OutcomeKind.DELIVERED, OutcomeKind.DEFERRED, OutcomeKind.REFUSED)
            expected[number] = note if known else IN_DOUBT
    kept.leave()
    assert journal.read(folder, block()) == expected


def test_what_did_not_leave_after_all_was_not_begun(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    kept.begin(FIRST)
    kept.begin(LAST)
    kept.take_back(FIRST)
    kept.leave()
    assert journal.read(tmp_path, block()) == dict.fromkeys(range(FIRST, LAST)) | {LAST: IN_DOUBT}


def test_a_window_that_was_cut_short_after_its_journal_was_opened_is_read_as_far_as_it_was_marked(
    tmp_path: Path,
) -> None:
    opened(tmp_path).leave()
    assert journal.read(tmp_path, block(marked_to=FIRST + 3)) == dict.fromkeys(range(FIRST, FIRST + 3))


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """Give the file of a journal that a killed process left."""
    kept = opened(tmp_path)
    kept.begin(FIRST)
    kept.leave()
    assert journal.read(tmp_path, block()) is not None
    [path] = tmp_path.glob("*.journal")
    return path


def test_after_a_power_loss_it_is_not_trusted(left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("c0ffee00-0000-4000-8000-000000000000\n", encoding="ascii")
    monkeypatch.setattr(journal, "_BOOT_ID", boot)
    assert journal.read(tmp_path, block()) is None
    boot.unlink()
    assert journal.read(tmp_path, block()) is None, "a system that does not say when it was started"


@pytest.mark.parametrize("kept", [0, 10, 64, 64 + 5, -1])
def test_one_that_is_too_short_is_not_trusted(left: Path, tmp_path: Path, kept: int) -> None:
    left.write_bytes(left.read_bytes()[:kept])
    assert journal.read(tmp_path, block()) is None


@pytest.mark.parametrize("other", [block("other"), block(done_to=FIRST + 1)])
def test_one_of_another_window_is_not_taken_for_it(left: Path, tmp_path: Path, other: Block) -> None:
    assert journal.read(tmp_path, other) is None


def test_one_that_is_gone_is_not_trusted(left: Path, tmp_path: Path) -> None:
    left.unlink()
    assert journal.read(tmp_path, block()) is None
    assert journal.read(tmp_path / "nowhere", block()) is None


def test_once_its_results_are_in_the_ledger_nothing_of_it_stays(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    kept.close()
    assert not list(tmp_path.iterdir())


_ON_A_FULL_DISK = """
import resource, sys
from dataclasses import replace
from pathlib import Path
from newsletter.delivery.lane.journal import Journal
from newsletter.delivery.tables import Block
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
block = Block(mailing_id="m", number=0, first=0, last=499, done_to=0, marked_to=0, lease="lease")
try:
    kept = Journal(Path(sys.argv[1]), block, 0, 499)
except OSError:
    print("no room")
else:
    for number in range(500):
        kept.begin(number)
    print("written")
"""


@pytest.mark.parametrize(("room", "told"), [(100, "no room"), (4096, "no room"), (65536, "written")])
def test_a_disk_without_room_is_told_of_when_it_is_opened_and_never_later(tmp_path: Path, room: int, told: str) -> None:
    """What is written to memory for which the disk has no room kills the process."""
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_FULL_DISK, str(tmp_path), str(room)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == told
    assert len(list(tmp_path.iterdir())) == (told == "written"), "nothing half-made is left"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a disk of 64 kB; skip where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_is_told_of_too(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(60 * 1024))
    with pytest.raises(OSError, match="No space left"):
        Journal(small_disk, block(), 0, 2000)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


async def test_only_old_ones_that_no_block_names_are_swept(installation: Installation) -> None:
    folder = installation.settings.journal_dir
    mailing = await mailing_to(installation, people(4))
    async with installation.database.write() as session:
        held = await ledger.free(session, mailing.id)
        assert held is not None
        await ledger.take(session, held, "worker-0")
    assert held.lease is not None
    now = SystemClock().now().timestamp()
    for lease in ("old", "young", held.lease):
        opened(folder, block(lease)).leave()
    for path in folder.iterdir():
        if not path.name.startswith("young"):
            os.utime(path, (now - 2 * DAY, now - 2 * DAY))
    served = replace(installation, clock=SystemClock())
    worker = Worker(served)
    try:
        await worker._retain()
    finally:
        worker._lock.close()
    assert {path.name.partition("-")[0] for path in folder.iterdir()} == {"young", held.lease}
    journal.sweep(folder / "nowhere", set(), now)
