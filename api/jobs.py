"""What the scheduler calls, and what becomes of it when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError

from config.errors import AppError, PermanentError
from config.logs import get_logger, place_of

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A step on the schedule: how often, how many of it may run at once, and among which others."""

    name: str
    work: Callable[[], object]
    every_s: float
    at_once: int = 1
    first_after_s: float = 0.0
    executor: str = "default"


def guarded(name: str, work: Callable[[], object]) -> Callable[[], None]:
    """Return `work` as a job: what fails is logged and done again at the next tick."""

    def run() -> None:
        try:
            work()
        except OperationalError as error:
            log.error("database unavailable", job=name, kind=type(error.orig).__name__)
        except PermanentError as error:
            log.error("refused", job=name, kind=type(error).__name__)
        except AppError as error:
            log.warning("failed, will be tried again", job=name, kind=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a job's thread has nobody above it who could tell
            log.error("broke", job=name, kind=type(error).__name__, at=place_of(error))

    return run
