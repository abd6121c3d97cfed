"""In which state an import may do what. Pure."""

from newsletter.errors import Conflict
from newsletter.imports.tables import ImportState, Mode

_UPLOADED, _CHECKING, _CHECKED = ImportState.UPLOADED, ImportState.CHECKING, ImportState.CHECKED
_RUNNING, _FINISHED = ImportState.RUNNING, ImportState.FINISHED
WORKING = (_CHECKING, _RUNNING)
OPEN = (_UPLOADED, _CHECKING, _CHECKED, _RUNNING)
_MOVES: dict[tuple[str, str], ImportState] = {
    (_UPLOADED, "check"): _CHECKING,
    (_CHECKED, "check"): _CHECKING,
    (_UPLOADED, "start"): _RUNNING,
    (_CHECKED, "start"): _RUNNING,
    (_CHECKING, "end"): _CHECKED,
    (_RUNNING, "end"): _FINISHED,
    **{(state, "cancel"): ImportState.CANCELLED for state in OPEN},
    **{(state, "fail"): ImportState.FAILED for state in WORKING},
}
# A slice is one transaction, for which everybody else waits on SQLite.
SLICE = {Mode.AGREED: 2_000, Mode.SUPPRESS: 5_000, Mode.CONFIRM: 200}
CHECK_SLICE = 5_000
# Who asks a million people at once looks like a spammer, and their links would run out before the letters left.
MOST_OPEN_LETTERS = 1_000
# For how long nobody else takes an import up whose process is silent.
LEASE_SECONDS = 60.0


def move(state: str, act: str) -> ImportState:
    """Give the state that follows. Raises Conflict where it can't be done in this one."""
    if (state, act) not in _MOVES:
        raise Conflict(f"This import is {state}; that can't be done with it now.")
    return _MOVES[state, act]
