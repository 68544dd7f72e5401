"""The fake networks run fast, in a thread or as a process, and obey."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.networks import Networks, running_networks, spawned_networks
from tests.networks.samples import ALL_FIELDS, get


def test_a_hundred_thousand_posts_are_made_and_paged_quickly(networks: Networks) -> None:
    start = time.perf_counter()
    ids = networks.control.fill("x", 100_000)
    made_s = time.perf_counter() - start
    start = time.perf_counter()
    found = [networks.control.posts("x", "nordlicht")[0]["id"]]
    for _ in range(20):
        answer = get(networks, "/2/tweets/search/recent", query="nordlicht", max_results=100,
                     until_id=found[-1], **ALL_FIELDS).json()  # fmt: skip
        found += [post["id"] for post in answer["data"]]
    paged_s = time.perf_counter() - start

    print(f"made 100,000 in {made_s:.1f} s; 20 pages of 100 in {paged_s:.2f} s")
    assert len(set(ids)) == 100_000
    assert len(found) == len(set(found)) == 2_001
    assert made_s < 60
    assert paged_s < 60


def test_made_up_posts_are_the_same_for_a_seed(networks: Networks) -> None:
    networks.control.fill("x", 50, seed=7, start=time.time() - 100, span_s=50)
    once = [post["text"] for post in networks.control.posts("x")]
    networks.control.reset()
    networks.control.fill("x", 50, seed=7, start=time.time() - 100, span_s=50)

    assert [post["text"] for post in networks.control.posts("x")] == once
    assert len(set(once)) > 40


def test_stopping_cuts_requests_that_hang() -> None:
    with running_networks() as networks:
        networks.control.fault("feeds", "hang")
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(httpx.get, f"{networks.feeds_url}/news", timeout=30)
            while not networks.control.count("feeds"):
                time.sleep(0.01)
            start = time.perf_counter()
            networks.stop()

            with pytest.raises(httpx.TransportError):
                hanging.result()
    assert time.perf_counter() - start < 5


def test_another_process_serves_and_obeys_the_same_control() -> None:
    with spawned_networks() as networks:
        networks.fault("x", "status", status=503)
        ids = networks.fill("x", 200, brand="Acme", moods=["crisis"], languages=["en"])
        networks.add("x", [{"text": "acme now", "published_at": datetime.now(UTC)}])
        refused = httpx.get(f"{networks.x_url}/2/tweets?ids={ids[0]}")
        answer = httpx.get(
            f"{networks.x_url}/2/tweets?ids={ids[0]}", headers={"authorization": "Bearer t"}
        )
        httpx.post(networks.hook_url, json=[1])

        assert (refused.status_code, answer.json()["data"][0]["id"]) == (503, ids[0])
        assert len(networks.posts("x", query="acme")) > 100
        assert networks.wait_for_hooks(1)[0]["json"] == [1]
        assert networks.count(platform="x") == 2
        with pytest.raises(ValueError, match="no post 5"):
            networks.delete("x", ["5"])


PARENT = """
import time
from tests.networks import spawned_networks

with spawned_networks() as networks:
    print(networks.url, flush=True)
    time.sleep(60)
"""


def test_the_other_process_ends_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert parent.stdout is not None
    with parent.stdout as stdout:
        url = stdout.readline().strip()
    assert httpx.get(f"{url}/_control/count").json() == {"result": 0}

    parent.kill()
    parent.wait()

    end = time.monotonic() + 10
    while answers(url) and time.monotonic() < end:
        time.sleep(0.05)
    assert not answers(url)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_control/count").is_success
    except httpx.TransportError:
        return False
