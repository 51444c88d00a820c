"""Log lines: one JSON object each, to standard error. What belongs together says so: `request` (the
answer's `X-Request-Id`) or `job`."""

import json
import logging
import math
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime

SPARING_SECONDS = 10.0
THINGS = 1_000  # that are remembered at most

_about: ContextVar[Mapping[str, str] | None] = ContextVar("about", default=None)


def about(**what: str) -> None:
    """From now on every line of this task, and of those that it starts, says so too."""
    _about.set({**(_about.get() or {}), **what})


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, what it is `about` and, if there is one, the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(_about.get() or {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Sparing(logging.Filter):
    """Lets a library say the same thing once in `seconds`, and then how often it was left out:
    a client whose server is away says several things a hundred times a second."""

    def __init__(self, name: str, seconds: float = SPARING_SECONDS) -> None:
        super().__init__(name)
        self._seconds = seconds
        self._said: dict[tuple[str, str], tuple[float, int]] = {}  # when last, left out since

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is told. Of other loggers, all are."""
        if not super().filter(record):
            return True
        thing = (record.name, str(record.msg))
        last, left_out = self._said.get(thing, (-math.inf, 0))
        if abs(record.created - last) < self._seconds:
            self._said[thing] = (last, left_out + 1)
            return False
        if len(self._said) >= THINGS:
            self._said.clear()
        self._said[thing] = (record.created, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} like it)", None
        return True


def configure(level: str) -> None:
    """Send every logger of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for library in ("aiokafka", "opentelemetry"):
        handler.addFilter(Sparing(library))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("uvicorn.error", "aiokafka", "httpx", "httpcore", "uvicorn.access", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
