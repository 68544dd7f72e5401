"""The protocols in force: each brand's file, read again when it changes.

A file that is broken while the service runs does not stop it: the last good one stays in
force, incidents go on by the one that they began with, and people are told until somebody
mends it. Every edit that is seen is kept (`protocol_history`). A brand that is added while the
service runs has its own file from the next look on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock, utc_now
from config.db import read_session
from config.errors import AppError
from config.logs import get_logger
from crm_link.escalation.drills.protocol import LOG_ONLY, confined
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.file import (
    default_protocol_text,
    load_protocol,
    parse_protocol,
)
from crm_link.escalation.protocol_parts.history import Sight, record_sight
from listener.models import Brand

log = get_logger(__name__)

#: What tells that a file changed: when it was written, in nanoseconds, and its size.
Stamp = tuple[int, int]

#: The protocol file of each brand that has one, by the brand's id; or, where brands may be added
#: while the service runs, what gives it by the brand's key.
Paths = Mapping[int, Path] | Callable[[], Mapping[str, Path]]

#: How the default protocol is called where a file's name stands.
DEFAULT_FILE = "the default protocol"


@dataclass(slots=True)
class _Loaded:
    stamp: Stamp | None
    protocol: EscalationProtocol
    problem: str = ""
    #: Whether the problem was seen twice: an editor that is just writing is no alarm.
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class _ActiveBrand:
    id: int
    key: str
    drill_of_id: int | None


class Protocols:
    """The protocol of every brand.

    Args:
        sessions: Where the brands are.
        paths: Where their files are. Brands without one follow the default protocol, which
            tells nobody but the log.
        drills_are_silent: Whether drills tell the log only, whatever the protocol says.
        clock: The present, for the record of edits.

    Raises:
        InputError: A file is wrong at the start; the message names every problem.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        paths: Paths,
        *,
        drills_are_silent: bool = False,
        clock: Clock = utc_now,
    ) -> None:
        self._sessions = sessions
        self._drills_are_silent = drills_are_silent
        self._clock = clock
        self._default = parse_protocol(default_protocol_text(), DEFAULT_FILE)
        self._lock = threading.Lock()
        self._find_paths = paths
        self._paths_problem = ""
        #: By brand: its file, and the protocol in force.
        self._paths: dict[int, Path] = {}
        self._in_force: dict[int, EscalationProtocol] = {}
        self._recorded: dict[int, tuple[str, str]] = {}
        files = paths() if callable(paths) else paths
        self._loaded: dict[Path, _Loaded] = {
            path: _Loaded(_stamp(path), load_protocol(path)) for path in set(files.values())
        }

    def by_brand(self) -> dict[int, EscalationProtocol]:
        """Return the protocol in force of every active brand, by the brand's id."""
        with read_session(self._sessions) as session:
            brands = [
                _ActiveBrand(*row)
                for row in session.execute(
                    select(Brand.id, Brand.key, Brand.drill_of_id).where(
                        Brand.is_active, Brand.competitor_of_id.is_(None)
                    )
                )
            ]
        with self._lock:
            self._refresh_paths(brands)
            for path, loaded in self._loaded.items():
                self._refresh(path, loaded)
            for brand in brands:
                if brand.drill_of_id is None:
                    self._in_force[brand.id] = self._of(brand.id)
            found = {brand.id: self._protocol_for(brand) for brand in brands}
            self._record([brand for brand in brands if brand.drill_of_id is None])
            return found

    def problems(self) -> list[str]:
        """Return what is wrong with files that changed since the start."""
        with self._lock:
            found = [loaded.problem for loaded in self._loaded.values() if loaded.problem]
            return [*found, self._paths_problem] if self._paths_problem else found

    def _protocol_for(self, brand: _ActiveBrand) -> EscalationProtocol:
        protocol = self._in_force.get(brand.drill_of_id or brand.id, self._default)
        if brand.drill_of_id is None:
            return protocol
        return confined(protocol, LOG_ONLY if self._drills_are_silent else protocol.drills.channels)

    def _of(self, brand_id: int) -> EscalationProtocol:
        path = self._paths.get(brand_id)
        return self._default if path is None else self._loaded[path].protocol

    def _refresh_paths(self, brands: Sequence[_ActiveBrand]) -> None:
        """Learn which file each brand has; a broken list of brands changes nothing."""
        if not callable(self._find_paths):
            self._paths = dict(self._find_paths)
            return
        try:
            by_key = self._find_paths()
        except AppError as error:
            if str(error) != self._paths_problem:
                log.error("brands file is broken, the protocols stay as they are")
            self._paths_problem = str(error)
            return
        self._paths_problem = ""
        paths = {brand.id: by_key[brand.key] for brand in brands if brand.key in by_key}
        for brand_id, path in paths.items():
            if path not in self._loaded:
                self._load_new(brand_id, path)
        self._paths = paths
        for path in set(self._loaded) - set(paths.values()):
            del self._loaded[path]

    def _load_new(self, brand_id: int, path: Path) -> None:
        """Read a file for the first time; until it is whole, what was in force stays."""
        stamp, before = _stamp(path), self._in_force.get(brand_id, self._default)
        try:
            self._loaded[path] = _Loaded(stamp, load_protocol(path))
            log.info("protocol read", file=path.name, brand_id=brand_id)
        except AppError as error:
            self._loaded[path] = _Loaded(stamp, before, error.said)
            log.error("protocol file is broken", file=path.name, brand_id=brand_id)

    def _refresh(self, path: Path, loaded: _Loaded) -> None:
        stamp = _stamp(path)
        if stamp == loaded.stamp:
            loaded.is_sure = True
            return
        loaded.stamp, loaded.is_sure = stamp, False
        try:
            loaded.protocol, loaded.problem = load_protocol(path), ""
        except AppError as error:
            loaded.problem = error.said
            log.error("protocol file is broken, the last good one stays in force", file=path.name)
        else:
            log.info("protocol read again", file=path.name, digest=loaded.protocol.digest[:12])

    def _record(self, brands: Sequence[_ActiveBrand]) -> None:
        """Keep what is news; a record that fails is tried again at the next look."""
        news = {brand.id: sight for brand in brands if (sight := self._news(brand)) is not None}
        if not news:
            return
        try:
            with self._sessions.begin() as session:
                for brand_id in sorted(news):
                    record_sight(session, news[brand_id], self._clock())
        except SQLAlchemyError as error:
            log.error("edits not kept", brands=len(news), kind=type(error).__name__)
            return
        for brand_id, sight in news.items():
            self._recorded[brand_id] = (sight.protocol.digest, sight.problem)

    def _news(self, brand: _ActiveBrand) -> Sight | None:
        """Return what is seen of a brand's file, if this process has not recorded it yet."""
        path = self._paths.get(brand.id)
        loaded = None if path is None else self._loaded[path]
        problem = loaded.problem if loaded else ""
        protocol = self._in_force[brand.id]
        if self._recorded.get(brand.id) == (protocol.digest, problem):
            return None
        if loaded and problem and not loaded.is_sure:
            return None
        file = DEFAULT_FILE if path is None else path.name
        owner = "groundswell" if path is None else _owner(path)
        return Sight(brand.id, protocol, file, owner, problem)


def _owner(path: Path) -> str:
    """Return whose file it is on this machine, as far as that is known."""
    try:
        return path.owner()
    except (OSError, KeyError, NotImplementedError):
        return "unknown"


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
