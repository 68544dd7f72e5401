"""The fake feeds and the webhook receiver."""

from __future__ import annotations

from typing import Any

import feedparser
import httpx
import pytest

from tests.networks import Networks


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_feed_shows_its_newest_items_and_then_nothing_new(networks: Networks, form: str) -> None:
    networks.control.set_feed("daily", format=form, horizon=10)
    networks.control.fill("feeds", 15, place="daily")
    address = f"{networks.feeds_url}/daily"

    first = feedparser.parse(address)
    again = feedparser.parse(address, etag=first.etag)
    since = feedparser.parse(address, modified=first.modified)
    networks.control.add("feeds", [{"text": "Ünïcode & more", "title": "New", "place": "daily"}])
    changed = feedparser.parse(address, etag=first.etag)

    assert not first.bozo
    assert len({entry.id for entry in first.entries}) == 10
    assert all(entry.published_parsed for entry in first.entries)
    assert (again.status, since.status) == (304, 304)
    assert changed.entries[0].summary == "Ünïcode & more"


@pytest.mark.parametrize(
    "oddity",
    [{"broken": "ill_formed"}, {"encoding": "iso-8859-1", "declared": "utf-8"}, {"broken": "cut"}],
)
def test_odd_feed_is_odd_for_the_reader(networks: Networks, oddity: dict[str, Any]) -> None:
    networks.control.set_feed("odd", ids=False, dates=False, **oddity)
    item = {"text": "Größe & Güte", "title": "Ü", "place": "odd"}
    networks.control.add("feeds", [item] * 3)

    found = feedparser.parse(f"{networks.feeds_url}/odd")

    assert found.bozo or found.entries[0].title != "Ü"
    assert all("id" not in entry and "published" not in entry for entry in found.entries)


def test_hook_keeps_what_it_is_sent_and_can_fail(networks: Networks) -> None:
    networks.control.fault("hook", "status", status=500)

    refused = httpx.post(f"{networks.hook_url}/alerts", json={"a": 0})
    taken = httpx.post(f"{networks.hook_url}/alerts", json={"a": 1}, headers={"x-signed": "yes"})

    [hook] = networks.control.wait_for_hooks(1, name="alerts", timeout_s=1)
    assert (refused.status_code, taken.status_code) == (500, 200)
    assert hook["json"] == {"a": 1}
    assert hook["headers"]["x-signed"] == "yes"
