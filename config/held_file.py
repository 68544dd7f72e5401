"""A file that people change through us is held by one of them at a time.

Waiting for a file is slow, so it is held before a transaction begins, and until after its commit:
whoever changes it next then finds in the database what stands in the file. What writes such a file
takes a `HeldFile`, which nothing but holding it gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from config.errors import ConflictError, InputError

#: Seconds that a change waits for another one to be done.
LOCK_S = 10


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file that nobody else changes through us meanwhile."""

    path: Path


@contextmanager
def hold_file(path: Path, *, timeout_s: float = LOCK_S) -> Iterator[HeldFile]:
    """Hold a file; a link to a file is held as that file.

    Raises:
        ConflictError: Somebody else held it for all of `timeout_s` seconds.
        InputError: Nothing can be written beside it.

    """
    real = path.resolve()
    # A request's parts run in several threads: whichever is the last one lets go of it.
    lock = FileLock(real.with_name(f".{real.name}.lock"), timeout=timeout_s, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise ConflictError(
            "somebody changes %(name)s just now; try again", name=path.name
        ) from error
    except OSError as error:
        raise not_written(path, error) from error
    try:
        yield HeldFile(path)
    finally:
        lock.release()


def not_written(path: Path, error: OSError) -> InputError:
    """Return what a person is told whose change could not be written."""
    return InputError(
        "%(path)s cannot be written (%(strerror)s); edit it where the file is kept",
        path=path,
        strerror=error.strerror,
    )
