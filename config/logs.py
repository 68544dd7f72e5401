"""Logs: one line per event, with ids and counts, never texts, handles or addresses."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog


def set_up_logs(level: str = "INFO", style: str = "text") -> None:
    """Send structured logs to standard error.

    Args:
        level: The lowest level that is written: DEBUG, INFO, WARNING or ERROR.
        style: `text` for people, `json` for machines.

    """
    threshold = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # The SDKs log addresses and payloads at INFO and DEBUG; only their warnings get out.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    # It warns with phone numbers, chats and hosts; why a message failed is in the outbox.
    apprise = logging.getLogger("apprise")
    apprise.propagate = False
    if not apprise.handlers:
        apprise.addHandler(logging.NullHandler())
    # It warns whenever a job still runs at its next tick, which here is how it should be.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def place_of(error: BaseException) -> str:
    """Return the file and line where an error arose: its words may quote posts or addresses."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of the module `name`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return logger
