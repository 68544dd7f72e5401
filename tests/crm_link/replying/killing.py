"""A process that delivers replies and kills itself with SIGKILL at a given point."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections import Counter
from datetime import datetime

import structlog
from sqlalchemy import event
from sqlalchemy.orm import Session

from config.db import make_engine, make_sessions
from crm_link.replying.delivery import deliver_replies
from listener.replier import OwnPost, OwnSearch, Replier, make_replier


class Points:
    """Counts points; at the `at`-th of its kind the process is gone."""

    def __init__(self, kind: str, at: int) -> None:
        self._kind, self._at = kind, at
        self._passed: Counter[str] = Counter()

    def reach(self, name: str) -> None:
        self._passed[name] += 1
        if name == self._kind and self._passed[name] == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


class Watched(Replier):
    """A replier that says when it posts."""

    def __init__(self, inner: Replier, points: Points) -> None:
        self._inner, self._points = inner, points

    def post(self, reply_to: str, text: str) -> OwnPost:
        self._points.reach("before post")
        made = self._inner.post(reply_to, text)
        self._points.reach("after post")
        return made

    def find_own(self, reply_to: str, text: str, since: datetime) -> OwnSearch:
        self._points.reach("before look")
        found = self._inner.find_own(reply_to, text, since)
        self._points.reach("after look")
        return found

    def check(self) -> str:
        return self._inner.check()

    def close(self) -> None:
        self._inner.close()


def main(url: str, now: str, kind: str, at: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    points = Points(kind, int(at))
    engine = make_engine(url)
    event.listen(engine, "commit", lambda _: points.reach("before commit"))
    event.listen(Session, "after_commit", lambda _: points.reach("after commit"))
    moment = datetime.fromisoformat(now)
    deliver_replies(
        make_sessions(engine),
        clock=lambda: moment,
        make=lambda platform, account: Watched(make_replier(platform, account), points),
    )
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
