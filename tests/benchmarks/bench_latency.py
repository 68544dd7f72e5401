"""How long from a post on the fake network to the alert at a local webhook.

Run: python -m tests.benchmarks.bench_latency [--incidents N] [--platform x|rss]...
     [--database URL]

`groundswell run` is a process of its own that looks every second, and so are the networks.
Each incident is one topic's: three negative posts about it open it. The clock runs from
before they are published until the webhook's receiver has the alert.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

from tests.e2e.homes import Home, wait_until
from tests.networks import RemoteControl, spawned_networks

#: Wanted: seconds within which 95 of 100 alerts arrive.
TARGET_P95_S = 5.0

_SOURCES = {
    "x": "      - {{platform: x, every: 1s, kind: search}}\n",
    "rss": '      - {{platform: rss, every: 1s, url: "{feeds_url}/news"}}\n',
}
_NETWORKS = {"x": "x", "rss": "feeds"}
_TOPIC = "  - {{id: topic{n}, words: [topicword{n}]}}\n"
_PROTOCOL = """\
version: 1
contacts:
  - {{id: anna, role: manager, channels: [{{kind: webhook, to: env:HOOK}}]}}
topics:
{topics}severity:
  - {{level: SEV-2, any: [{{negatives_gte: 3, window: 1h}}], ack: 15m}}
escalation:
  default: {{steps: [{{notify: [manager]}}]}}
"""
_TEXT = "I hate my Nordlicht topicword{topic}, it is terrible and broke again, awful, {number}"


def main() -> None:
    """Measure each platform and print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=40)
    parser.add_argument("--platform", action="append", choices=sorted(_SOURCES))
    parser.add_argument("--database", default="", help="PostgreSQL address; SQLite without")
    given = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}, looking every second")
    for platform in given.platform or sorted(_SOURCES):
        with spawned_networks() as networks, tempfile.TemporaryDirectory() as folder:
            waits = _measure(networks, Path(folder), platform, given.incidents, given.database)
        p95 = statistics.quantiles(waits, n=20)[-1]
        print(
            f"{platform}: {len(waits)} incidents, p50 {statistics.median(waits):.2f} s, "
            f"p95 {p95:.2f} s, worst {max(waits):.2f} s; "
            f"target {'reached' if p95 < TARGET_P95_S else 'MISSED'}"
        )


def _measure(
    networks: RemoteControl, folder: Path, platform: str, incidents: int, database: str
) -> list[float]:
    home = Home(folder / "home", database)
    topics = "".join(_TOPIC.format(n=number) for number in range(incidents))
    home.write_brand(networks, sources=_SOURCES[platform], protocol=_PROTOCOL.format(topics=topics))
    networks.control.set_feed("news", horizon=200)
    chance = random.Random(1)
    waits = []
    with home.running("run", "--port", "0"):
        wait_until(lambda: "console: http" in home.log(), what="the start: " + home.log())
        time.sleep(3)
        for number in range(incidents):
            # The moment within the polling interval must not always be the same.
            time.sleep(chance.uniform(0.0, 1.0))
            posts = [
                {"text": _TEXT.format(topic=number, number=one), "title": f"Report {one}"}
                for one in range(3)
            ]
            began = time.time()
            networks.control.add(_NETWORKS[platform], posts)
            hook = networks.wait_for_hooks(number + 1, timeout_s=60)[-1]
            assert hook["json"]["data"]["topic"] == f"topic{number}", hook["json"]
            waits.append(float(hook["at"]) - began)
    return waits


if __name__ == "__main__":
    main()
