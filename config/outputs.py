"""Files that commands write: there when they are whole, not before."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from config.errors import InputError

#: Stands for standard output where a file's name is asked for.
STANDARD_OUTPUT = "-"


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write, which takes the name `path` when all was written; `-` is stdout.

    Raises:
        InputError: It cannot be written. That the disk is full stays an OSError.

    """
    if str(path) == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.is_dir():
        raise InputError(f"{path} cannot be written: it is a folder")
    # Beside the file, so that renaming it is one step.
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        # For its owner only: it holds what people said, or who they are.
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        msg = f"{path} cannot be written: {error.strerror}"
        raise InputError(msg) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
