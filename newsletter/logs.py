"""Logs: one JSON object a line on standard error. No address, no token, no text of an error: only its kind."""

import logging
import sys
import traceback
from typing import Any

# Beside it structlog would load what writes coloured logs for people, and these are read by programs: 4 MB.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None: it can't be imported
import structlog  # noqa: E402 (after that)

if sys.modules.get("rich", ...) is None:
    del sys.modules["rich"]

get_logger = structlog.get_logger


class _KindOnly(logging.Filter):
    """Keeps tracebacks of libraries out of the log: they can hold anything that was being worked on."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            record.msg, record.args = f"{record.exc_info[0].__name__} in {record.name}", ()
            record.exc_info = record.exc_text = None
        elif "Traceback" in record.getMessage():
            record.msg, record.args = f"an error in {record.name}", ()
        return True


def where(error: BaseException) -> str:
    """Give where in our code an error arose, without any of its values."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/newsletter/" in frame.filename]
    return f"{frames[-1].filename.rpartition('/newsletter/')[2]}:{frames[-1].lineno}" if frames else "elsewhere"


def _rendered(logger: Any, name: str, event: structlog.typing.EventDict) -> Any:
    return structlog.processors.JSONRenderer()(logger, name, event)


def configure(level: int = logging.INFO) -> None:
    """Set up structured logs for this process."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, _rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_KindOnly())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_only_event, _rendered])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _only_event(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: value for key, value in event.items() if not key.startswith("_")}
