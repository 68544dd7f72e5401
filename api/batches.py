"""Doing a batch whatever is in it: one mention that breaks a step must not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.exc import OperationalError

from config.db import MOST_TRIES, stood_in_the_way
from config.errors import AppError
from config.logs import get_logger, place_of
from listener.models import Step

log = get_logger(__name__)

#: Mentions of one batch that may break a step; if there are more, it is the step that is broken.
MOST_BROKEN = 5


def do_batch(step: Step | str, work: Callable[[list[int]], int], mention_ids: Sequence[int]) -> int:
    """Return how many mentions were done; those that break the step stay in the queue.

    A batch that fails is done in halves, down to the mentions that it fails for. They are
    said in the log, and tried again with the next batch.

    Raises:
        AppError, OperationalError: It is not for the mentions that the step fails.
        Exception: More than `MOST_BROKEN` mentions broke it.

    """
    broken: list[int] = []

    def do(ids: list[int]) -> int:
        try:
            return _unhindered(work, ids)
        except (AppError, OperationalError):
            raise
        except Exception as error:
            if len(ids) > 1:
                middle = len(ids) // 2
                return do(ids[:middle]) + do(ids[middle:])
            broken.append(ids[0])
            if len(broken) > MOST_BROKEN:
                raise
            log.error(
                "mention breaks a step",
                mention_id=ids[0],
                step=step,
                kind=type(error).__name__,
                at=place_of(error),
            )
            return 0

    return do(list(mention_ids))


def _unhindered(work: Callable[[list[int]], int], ids: list[int]) -> int:
    """Do the work again where another worker's transaction stood in its way."""
    for _ in range(MOST_TRIES - 1):
        try:
            return work(ids)
        except OperationalError as error:
            if not stood_in_the_way(error):
                raise
    return work(ids)
