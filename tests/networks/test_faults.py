"""Every fault is what a client would meet."""

from __future__ import annotations

from typing import Any

import feedparser
import praw
import prawcore
import pytest
import requests
import tweepy

from tests.networks import Networks
from tests.networks.samples import comments, texts


@pytest.mark.parametrize(
    ("headers", "present", "absent"),
    [
        ("reset", {"x-rate-limit-reset"}, {"retry-after"}),
        ("retry_after", {"retry-after"}, {"x-rate-limit-reset"}),
        ("none", set(), {"x-rate-limit-reset", "retry-after"}),
    ],
)
def test_fault_rate_limit_carries_the_wanted_headers(
    networks: Networks, x: tweepy.Client, headers: str, present: set[str], absent: set[str]
) -> None:
    networks.control.fault("x", "rate_limit", headers=headers, seconds=30, times=2)

    for _ in range(2):
        with pytest.raises(tweepy.TooManyRequests) as refused:
            x.search_recent_tweets("a")
        assert set(refused.value.response.headers) >= present
        assert not set(refused.value.response.headers) & absent
    assert x.search_recent_tweets("a")["meta"]["result_count"] == 0


def test_fault_strikes_the_chosen_path_after_the_chosen_number(
    networks: Networks, reddit: praw.Reddit
) -> None:
    networks.control.add("reddit", comments(250))
    networks.control.fault("reddit", "rate_limit", path="/r/*/comments*", after=2, headers="none")

    found: list[Any] = []
    with pytest.raises(prawcore.TooManyRequests):
        found.extend(comment.id for comment in reddit.subreddit("gadgets").comments(limit=None))

    log = networks.control.requests("reddit")
    assert [entry["fault"] for entry in log] == [None, None, None, "rate_limit"]
    assert log[-1]["query"]["after"]
    assert log[-1]["status"] == 429


def test_faults_that_break_the_answer(networks: Networks, x: tweepy.Client) -> None:
    networks.control.add("x", texts(20))
    fault = networks.control.fault

    fault("x", "status", status=503)
    with pytest.raises(tweepy.TwitterServerError):
        x.search_recent_tweets("nordlicht")
    fault("x", "html", status=200)
    with pytest.raises(requests.JSONDecodeError):
        x.search_recent_tweets("nordlicht")
    fault("x", "html")
    with pytest.raises(tweepy.TwitterServerError):
        x.search_recent_tweets("nordlicht")
    fault("x", "truncated")
    with pytest.raises(requests.JSONDecodeError):
        x.search_recent_tweets("nordlicht")
    fault("x", "reset")
    with pytest.raises(requests.ConnectionError, match="reset"):
        x.search_recent_tweets("nordlicht")
    fault("x", "reset", share=0.5)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        x.search_recent_tweets("nordlicht")
    fault("x", "hang")
    with pytest.raises(requests.Timeout):
        x.search_recent_tweets("nordlicht")
    assert x.search_recent_tweets("nordlicht")["meta"]["result_count"] == 10


def test_fault_credits_looks_like_a_full_window_but_is_not(
    networks: Networks, x: tweepy.Client
) -> None:
    networks.control.fault("x", "credits")
    networks.control.fault("x", "credits", status=402)

    with pytest.raises(tweepy.TooManyRequests) as capped:
        x.search_recent_tweets("a")
    with pytest.raises(tweepy.HTTPException) as unpaid:
        x.search_recent_tweets("a")

    assert capped.value.response.json()["title"] == "UsageCapExceeded"
    assert capped.value.response.headers["x-rate-limit-remaining"] == "449"
    assert "x-rate-limit-reset" not in capped.value.response.headers
    assert unpaid.value.response.json()["title"] == "CreditsDepleted"


def test_faults_that_bend_a_page(networks: Networks, x: tweepy.Client) -> None:
    ids = networks.control.add("x", texts(10))[::-1]

    def bent(kind: str, **options: Any) -> list[Any]:
        networks.control.fault("x", kind, **options)
        data: list[Any] = x.search_recent_tweets("nordlicht").get("data", [])
        return data

    doubled = [post["id"] for post in bent("duplicate")]
    disordered = [post["id"] for post in bent("out_of_order")]
    malformed = bent("malformed")

    assert len(doubled) > len(ids)
    assert set(doubled) == set(ids)
    assert sorted(disordered) == sorted(ids)
    assert disordered != ids
    assert "id" not in malformed[5]
    assert [post["id"] for post in malformed if "id" in post] == ids[:5] + ids[6:]
    assert bent("malformed", variant="null")[5] is None
    assert bent("empty") == []
    assert networks.control.faults()[0]["struck"] == 1


@pytest.mark.parametrize("variant", ["no_id", "bad_date", "bad_types", "null", "text"])
def test_malformed_items_spare_their_neighbours(networks: Networks, variant: str) -> None:
    networks.control.set_feed("news")
    networks.control.fill("feeds", 5)
    networks.control.fault("feeds", "malformed", variant=variant)

    found = feedparser.parse(f"{networks.feeds_url}/news")

    assert len(found.entries) == 5
    assert sum(entry.get("id", "").startswith("item-") for entry in found.entries) >= 4


def test_control_refuses_what_would_do_nothing(networks: Networks) -> None:
    with pytest.raises(ValueError, match="no fault 'flood'"):
        networks.control.fault("x", "flood")
    with pytest.raises(ValueError, match="no option often"):
        networks.control.fault("x", "hang", often=3)
    with pytest.raises(ValueError, match="x_speed"):
        networks.control.set_rules(x_speed=3)
    with pytest.raises(ValueError, match="publised_at"):
        networks.control.add("x", [{"text": "a", "publised_at": 0}])
    with pytest.raises(ValueError, match="no platform 'y'"):
        networks.control.add("y", [])
