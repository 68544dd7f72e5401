"""The outside heartbeat: somebody else notices when this engine stands still.

A dead man's switch (healthchecks.io, Uptime Kuma, Alertmanager's or any other) is asked for at
the address that GROUNDSWELL_HEARTBEAT_URL names, and only while every step of the engine has
truly gone through: a process that lives and does nothing sends no sign of life.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import wraps

import httpx
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.clock import Clock
from config.logs import get_logger

log = get_logger(__name__)

#: Seconds that the other side has to answer.
TIMEOUT_S = 10.0


class HeartbeatSettings(BaseSettings):
    """Where the sign of life goes."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_HEARTBEAT_", extra="ignore", frozen=True
    )

    url: str = Field(
        default="",
        description="Address that is asked for while the engine works; empty sends no sign.",
    )
    every_s: float = Field(default=60.0, ge=1, description="Seconds between two signs of life.")


class Heartbeat:
    """Counts the engine's steps, and says that it works while all of them do.

    Args:
        settings: Where the sign goes, and how often.
        steps: The steps that must have gone through since the last look.
        clock: The present.

    """

    def __init__(self, settings: HeartbeatSettings, steps: Iterable[str], *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._done: dict[str, datetime | None] = dict.fromkeys(steps)

    @property
    def every_s(self) -> float:
        """Seconds between two signs."""
        return self._settings.every_s

    @property
    def is_on(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._settings.url)

    def watched(self, step: str, work: Callable[[], object]) -> Callable[[], None]:
        """Return `work` so that going through it counts; breaking does not."""

        @wraps(work)
        def run() -> None:
            work()
            with self._lock:
                self._done[step] = self._clock()

        return run

    def standing_still(self) -> list[str]:
        """Return the steps that have not gone through lately, sorted."""
        limit = self._clock() - timedelta(seconds=max(2 * self._settings.every_s, 30))
        with self._lock:
            return sorted(step for step, done in self._done.items() if done is None or done < limit)

    def beat(self) -> bool:
        """Send a sign of life if every step goes through; say whether it was taken."""
        if not self.is_on:
            return False
        still = self.standing_still()
        if still:
            log.error("no sign of life sent, steps stand still", steps=still)
            return False
        try:
            with httpx.Client(timeout=TIMEOUT_S, follow_redirects=True) as client:
                answer = client.get(self._settings.url, headers={"User-Agent": "groundswell"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Only the kind: the address holds a token.
            log.warning("sign of life not taken", kind=type(error).__name__)
            return False
        if not answer.is_success:
            log.warning("sign of life not taken", status=answer.status_code)
        return answer.is_success
