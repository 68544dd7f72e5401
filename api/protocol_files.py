"""Which protocol file each brand has, by brands.yaml as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from config.errors import InputError
from listener.brands_file import read_brands


class ProtocolFiles:
    """Gives the protocol files by the brands' keys; reads brands.yaml again when it changes.

    Raises:
        InputError: When called, if the file is broken; it is read again at the next call.
    """

    def __init__(self, brands_path: Path) -> None:
        self._path = brands_path
        self._stamp: tuple[int, int] | None = None
        self._found: Mapping[str, Path] = {}

    def __call__(self) -> Mapping[str, Path]:
        """Return the path of each brand that names one."""
        try:
            stat = self._path.stat()
        except OSError as error:
            raise InputError(f"{self._path} cannot be read: {error.strerror}") from error
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            file = read_brands(self._path)
            self._found = {one.id: one.protocol for one in file.brands if one.protocol is not None}
            self._stamp = stamp
        return self._found
