"""Killing `groundswell run` at random moments, and looking what is left of the work."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config.clock import utc_now
from config.db import read_session
from crm_link.escalation.models import Incident
from crm_link.escalation.protocol_parts.triage import GENERAL
from tests.e2e.homes import Home, text_of, wait_until
from tests.e2e.truths import (
    assert_all_done,
    assert_nothing_doubled,
    assert_rollups_are_exact,
    ids_of,
)
from tests.networks import RemoteControl
from tests.networks.posts import made_up_posts

_SOURCES = """\
      - {{platform: x, name: x-search, every: 1s, kind: search, page_size: 10}}
      - {{platform: rss, name: press, every: 1s, url: "{feeds_url}/news"}}
"""
_PROTOCOL = """\
version: 1
contacts:
  - {{id: anna, role: manager, channels: [{{kind: webhook, to: env:HOOK}}]}}
topics:
{topics}severity:
  - {{level: SEV-2, any: [{{negatives_gte: 3, window: 12h}}], ack: 8h}}
escalation:
  default: {{steps: [{{notify: [manager]}}]}}
"""
#: Moods without negative words, so that only the round's own topic raises an incident.
_CALM = ("praise", "purchase", "neutral")

#: What `run` says when everything has been started.
_STARTED = "console: http"

#: The longest lease of a claimed row, and a little more.
LEASES_OVER = timedelta(minutes=5)


@dataclass
class Killing:
    """Rounds of starting, killing and starting again, over one home and its networks.

    Each round publishes posts on X and in a feed, among them three that open an incident of
    the round's own topic, and imports a file beside it.
    """

    home: Home
    networks: RemoteControl
    rounds: int
    posts: int = 60
    imported: int = 400
    longest_s: float = 3.0
    seed: int = 1
    imported_ids: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    moments_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        topics = "".join(
            f"  - {{id: topic{number}, words: [topicword{number}]}}\n"
            for number in range(self.rounds)
        )
        self.home.write_brand(
            self.networks, sources=_SOURCES, protocol=_PROTOCOL.format(topics=topics)
        )
        # A cursor that is ahead must not be saved by reading the last minutes again.
        self.home.environment["GROUNDSWELL_X_OVERLAP_S"] = "0"
        self.networks.control.set_feed("news", horizon=100_000)

    def run(self) -> None:
        for number in range(self.rounds):
            self._publish(number)
            path = self._write_file(number)
            main = self.home.start("run", "--port", "0")
            importing = self.home.start("import", "mentions", path, "--no-process", log="in.log")
            began = time.monotonic()
            # Now and then in the start itself, else while it works.
            if self.chance.random() > 0.1:
                self._wait_for_start(main, self.home.log().count(_STARTED))
            assert main.poll() is None, self.home.log()[-2_000:]
            time.sleep(self.chance.uniform(0.0, self.longest_s))
            self.moments_s.append(time.monotonic() - began)
            for process in (main, importing):
                process.send_signal(signal.SIGKILL)
                process.wait(30)

    def _wait_for_start(self, process: subprocess.Popen[bytes], before: int) -> None:
        wait_until(
            lambda: self.home.log().count(_STARTED) > before or process.poll() is not None,
            timeout_s=120,
            what="a start",
        )

    def _publish(self, number: int) -> None:
        control = self.networks.control
        # After the newest post of the round before, however short that was: with no overlap, a
        # post that is published late with an earlier time is rightly not looked for.
        start = time.time() - 0.5
        calm = made_up_posts(
            self.posts, seed=number, moods=_CALM, languages=("en",), start=start, span_s=0.4
        )
        control.add("x", list(calm))
        text = f"I hate my Nordlicht topicword{number}, it is terrible, awful, number"
        control.add("x", [{"text": f"{text} {one}", "author": f"cross_{one}"} for one in range(3)])
        control.add(
            "feeds",
            [{"text": f"Nordlicht opens shop {number}.{one}", "title": "Shop"} for one in range(5)],
        )

    def _write_file(self, number: int) -> Path:
        start = (utc_now() - timedelta(days=20)).timestamp()
        posts = made_up_posts(self.imported, seed=1_000 + number, moods=_CALM, start=start)
        path = self.home.folder / f"import{number}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for index, post in enumerate(posts):
                record = {
                    "id": f"{number}-{index}",
                    "platform": "forum",
                    "text": post["text"],
                    "created_at": datetime.fromtimestamp(post["published_at"]).astimezone(),
                    "username": post["author"],
                }
                file.write(json.dumps(record, default=str) + "\n")
                self.imported_ids.append(f"{number}-{index}")
        self.files.append(path)
        return path

    def import_again(self) -> None:
        """Start again every import, as a person would who saw it end."""
        for path in self.files:
            done = self.home.run("import", "mentions", path, "--no-process")
            assert done.returncode == 0, text_of(done)

    def assert_whole(self) -> dict[str, Any]:
        """Check that nothing is lost, doubled or miscounted; return what was found."""
        published = sorted(one["id"] for one in self.networks.control.posts("x"))
        with self.home.sessions() as sessions, read_session(sessions) as session:
            assert ids_of(session, "x") == published
            assert len(ids_of(session, "rss")) == 5 * self.rounds
            assert ids_of(session, "forum") == sorted(self.imported_ids)
            assert_nothing_doubled(session)
            assert_all_done(session)
            assert_rollups_are_exact(session)
            incidents = dict(session.execute(select(Incident.id, Incident.topic)).all())
        # What is calm to people is not always so to the scorer: `general` may be there too.
        topics = Counter(topic for topic in incidents.values() if topic != GENERAL)
        wanted = {f"topic{number}": 1 for number in range(self.rounds)}
        assert topics == wanted, f"{dict(topics - Counter(wanted))}, {set(wanted) - set(topics)}"
        firsts = [
            hook["json"]
            for hook in self.networks.control.hooks()
            if hook["json"] and hook["json"]["data"]["reason"] == "step"
        ]
        told = Counter(one["data"]["incident_id"] for one in firsts)
        lost = sorted(set(incidents) - set(told))
        assert lost == [], f"incidents that nobody was told of: {lost}"
        keys = Counter(one["idempotency_key"] for one in firsts)
        return {
            "mentions": len(published) + 5 * self.rounds + len(self.imported_ids),
            "incidents": len(incidents),
            "alerts": len(firsts),
            "doubled_alerts": sum(keys.values()) - len(keys),
        }
