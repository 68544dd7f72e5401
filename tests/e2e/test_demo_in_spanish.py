"""The demo's console in Spanish: a real attack, every page, and no sentence in English.

What people, posts and the protocol's file say stays as it is. Everything else that a page shows
was made by the services from what really happened: flags, incidents, their timeline and reasons,
findings, links and scores.
"""

from __future__ import annotations

import html
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from ruamel.yaml import YAML

from tests.api.plain_english import Reading

pytestmark = pytest.mark.slow

#: How long the demo may take until its incident is there, in seconds: two cores, in company.
MOST_S = 300.0

#: Pages of one shape (`/mentions/N`) that are looked at, and pages altogether.
OF_A_SHAPE, AT_MOST = 3, 150

#: Words of English sentences that no Spanish one has.
ENGLISH = frozenset(
    """
    the is are was were of and that has have been with for not by from this it its to than which
    there here who whom nobody somebody where when what why how must may can after before more most
    least since until does did only each every would will on at in them their they somebody anybody
    """.split()  # noqa: SIM905 - a list would take a page
)

#: Elements that hold what people wrote, or what is the same in every language.
AS_IT_IS = ("code", "kbd", "script", "style", "bdi", "blockquote", "option", "textarea", "pre")

#: What has no page, or ends the visit.
NO_PAGES = ("/static", "/sign-out", "/api", "/events", "/board/net.csv")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[httpx.Client, Path]]:
    """Give a signed-in Spanish reader of a demo whose incident is open, and the demo's folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path / "demo"
    command = [
        sys.executable,
        "-m",
        "api.cli",
        "demo",
        "--port",
        str(port),
        "--folder",
        str(folder),
    ]
    running = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(
            base_url=base,
            headers={"Accept-Language": "es"},
            follow_redirects=True,
            timeout=60,
            # Reading a long page takes longer than the server keeps a connection that rests.
            limits=httpx.Limits(max_keepalive_connections=0),
        ) as client:
            _wait_for_the_incident(client, base)
            yield client, folder
    finally:
        running.terminate()
        running.wait(60)


def _wait_for_the_incident(client: httpx.Client, base: str) -> None:
    until = time.monotonic() + MOST_S
    while time.monotonic() < until:
        try:
            client.post("/sign-in/demo", headers={"Origin": base})
            if 'href="/incidents/1"' in client.get("/incidents").text:
                return
        except httpx.TransportError:
            pass
        time.sleep(1)
    pytest.fail("the demo raised no incident")


def test_no_page_of_the_demo_has_an_english_sentence(demo: tuple[httpx.Client, Path]) -> None:
    client, folder = demo
    theirs = sorted(_written(folder), key=len, reverse=True)

    found = {
        text: address
        for address, page in _pages(client)
        for text in _texts(page)
        if _is_english(text, theirs)
    }

    assert found == {}


def _pages(client: httpx.Client) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    shapes: Counter[str] = Counter()
    waiting = ["/queue", "/incidents", "/incidents/1", "/incidents/1/why"]
    while waiting and len(seen) < AT_MOST:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        answer = client.get(address)
        if "html" not in answer.headers.get("content-type", ""):
            continue
        yield address, answer.text
        for link in re.findall(r'(?:href|hx-get)="(/[^"#]*)"', answer.text):
            target = html.unescape(link)
            shape = re.sub(r"\d+", "N", target.split("?")[0])
            if target.startswith(NO_PAGES) or shapes[shape] >= OF_A_SHAPE:
                continue
            shapes[shape] += 1
            waiting.append(target)


def _texts(page: str) -> list[str]:
    reading = Reading(as_it_is=AS_IT_IS)
    reading.feed(page)
    reading.close()
    return [" ".join(text.split()) for text in reading.texts]


def _written(folder: Path) -> set[str]:
    """Return every text of the demo's own files: what its made-up people wrote into them."""

    def scalars(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.items():
                yield from scalars(key)
                yield from scalars(value)
        elif isinstance(node, list):
            for value in node:
                yield from scalars(value)
        elif isinstance(node, str) and " " in node:
            yield " ".join(node.split())

    return {
        text
        for name in ("brands.yaml", "protocol.yaml")
        for text in scalars(YAML(typ="safe").load((folder / name).read_text("utf-8")))
    }


def _is_english(text: str, theirs: list[str]) -> bool:
    for one in theirs:
        text = text.replace(one, "")
    # Keys of files have an underscore, operators of queries are in capitals.
    words = [
        word for word in re.findall(r"[A-Za-z_]+", text) if len(word) == 1 or not word.isupper()
    ]
    return len(words) > 1 and any(word.lower() in ENGLISH for word in words)
