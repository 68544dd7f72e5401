"""The protocols in force: each brand's file, read again when it changes.

A file that is broken while the service runs does not stop it: the last good one stays in
force, and `problems` says what is wrong until somebody mends it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from config.errors import AppError
from config.logs import get_logger
from crm_link.escalation.drill_protocol import LOG_ONLY, confined
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_file import default_protocol_text, load_protocol, parse_protocol
from listener.models import Brand

log = get_logger(__name__)

#: What tells that a file changed: when it was written, in nanoseconds, and its size.
Stamp = tuple[int, int]


@dataclass(slots=True)
class _Loaded:
    stamp: Stamp | None
    protocol: EscalationProtocol
    problem: str = ""


class Protocols:
    """The protocol of every brand.

    Args:
        sessions: Where the brands are.
        paths: The protocol file of each brand that has one, by the brand's id. The others
            follow the default protocol, which tells nobody but the log.
        drills_are_silent: Whether drills tell the log only, whatever the protocol says.

    Raises:
        InputError: A file is wrong at the start; the message names every problem.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        paths: Mapping[int, Path],
        *,
        drills_are_silent: bool = False,
    ) -> None:
        self._sessions = sessions
        self._drills_are_silent = drills_are_silent
        self._paths = dict(paths)
        self._default = parse_protocol(default_protocol_text(), "the default protocol")
        self._lock = threading.Lock()
        self._loaded: dict[Path, _Loaded] = {
            path: _Loaded(_stamp(path), load_protocol(path)) for path in set(paths.values())
        }

    def by_brand(self) -> dict[int, EscalationProtocol]:
        """Return the protocol in force of every active brand, by the brand's id."""
        with read_session(self._sessions) as session:
            brands = session.execute(
                select(Brand.id, Brand.drill_of_id).where(Brand.is_active)
            ).all()
        with self._lock:
            for path, loaded in self._loaded.items():
                self._refresh(path, loaded)
            found = {}
            for brand_id, drill_of_id in brands:
                protocol = self._of(drill_of_id or brand_id)
                if drill_of_id is not None:
                    ways = LOG_ONLY if self._drills_are_silent else protocol.drills.channels
                    protocol = confined(protocol, ways)
                found[brand_id] = protocol
            return found

    def _of(self, brand_id: int) -> EscalationProtocol:
        path = self._paths.get(brand_id)
        return self._default if path is None else self._loaded[path].protocol

    def problems(self) -> list[str]:
        """Return what is wrong with files that changed since the start."""
        with self._lock:
            return [loaded.problem for loaded in self._loaded.values() if loaded.problem]

    def _refresh(self, path: Path, loaded: _Loaded) -> None:
        stamp = _stamp(path)
        if stamp == loaded.stamp:
            return
        loaded.stamp = stamp
        try:
            loaded.protocol, loaded.problem = load_protocol(path), ""
        except AppError as error:
            loaded.problem = str(error)
            log.error("protocol file is broken, the last good one stays in force", file=path.name)
        else:
            log.info("protocol read again", file=path.name, digest=loaded.protocol.digest[:12])


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
