"""The fake X searches and pages as X does, seen through tweepy."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import tweepy

from tests.networks import Networks
from tests.networks.samples import get, texts


def test_x_search_gives_every_post_once_newest_first_over_pages(
    networks: Networks, x: tweepy.Client
) -> None:
    ids = networks.control.add("x", texts(250))
    networks.control.add("x", texts(5, "other"))

    pages = list(tweepy.Paginator(x.search_recent_tweets, "nordlicht", max_results=100))

    assert [page["meta"]["result_count"] for page in pages] == [100, 100, 50]
    assert [post["id"] for page in pages for post in page["data"]] == ids[::-1]
    assert pages[0]["meta"]["newest_id"] == ids[-1]
    assert "next_token" not in pages[-1]["meta"]


def test_x_pages_stay_put_when_posts_arrive_and_since_id_must_be_carried(
    networks: Networks, x: tweepy.Client
) -> None:
    ids = networks.control.add("x", texts(30))
    first = x.search_recent_tweets("nordlicht", since_id=ids[4], max_results=10)
    networks.control.add("x", [{"text": "nordlicht again"}])
    token = first["meta"]["next_token"]

    carried = x.search_recent_tweets("nordlicht", since_id=ids[4], next_token=token)
    last = x.search_recent_tweets(
        "nordlicht", since_id=ids[4], next_token=carried["meta"]["next_token"]
    )
    forgotten = x.search_recent_tweets("nordlicht", next_token=token, max_results=100)

    assert [post["id"] for post in carried["data"]] == ids[19:9:-1]
    assert [post["id"] for post in last["data"]] == ids[9:4:-1]
    assert [post["id"] for post in forgotten["data"]] == ids[19::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("nordlicht", "abcdf"),
        ("nordlicht -fire", "acdf"),
        ('"on fire"', "b"),
        ("(fire OR lamp) nordlicht", "abc"),
        ("@nordlicht", "c"),
        ("#NordlichtFire", "b"),
        ("from:ada", "a"),
        ("nordlicht lang:de", "d"),
        ("nordlicht -is:retweet", "abcd"),
        ("nord", ""),
        ("最高", "e"),
    ],
)
def test_x_search_understands_queries(networks: Networks, query: str, found: str) -> None:
    posts: list[dict[str, Any]] = [
        {"text": "My Nordlicht lamp", "author": "ada"},
        {"text": "nordlicht is on fire #NordlichtFire"},
        {"text": "hello @nordlicht, a lamp please"},
        {"text": "Nordlicht ist toll", "lang": "de"},
        {"text": "これは最高です", "lang": "ja"},
    ]
    ids = networks.control.add("x", posts)
    ids += networks.control.add("x", [{"text": "", "repost_of": ids[3], "author": "bo"}])

    answer = get(networks, "/2/tweets/search/recent", query=query).json()

    assert "".join(sorted("abcdef"[ids.index(post["id"])] for post in answer.get("data", []))) == (
        found
    )


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"query": "a", "max_results": 5},
        {"query": "a", "max_results": 101},
        {"query": "a", "since_id": "abc"},
        {"query": "a", "since_id": "1"},
        {"query": "a", "start_time": "yesterday"},
        {"query": "a", "start_time": "2020-01-01T00:00:00Z"},
        {"query": "a", "next_token": "nonsense"},
        {"query": "a", "tweet.fields": "colour"},
        {"query": "a", "limit": 10},
        {"query": "(a"},
        {"query": "a -(b c)"},
        {"query": "a min_faves:10"},
        {"query": "lang:de"},
        {"query": "a" * 513},
    ],
)
def test_x_refuses_bad_parameters_in_its_own_words(
    networks: Networks, query: dict[str, Any]
) -> None:
    answer = get(networks, "/2/tweets/search/recent", **query)

    assert answer.status_code == 400
    assert answer.json()["title"] == "Invalid Request"
    assert answer.json()["errors"][0]["message"]


def test_x_wants_a_token_and_gives_rate_headers(networks: Networks) -> None:
    refused = httpx.get(f"{networks.x_url}/2/tweets/search/recent?query=a")
    answer = get(networks, "/2/tweets/search/recent", query="a")

    assert refused.status_code == 401
    assert answer.headers["x-rate-limit-limit"] == "450"
    assert int(answer.headers["x-rate-limit-reset"]) > time.time()


def test_x_limiter_refuses_what_is_over_the_limit(networks: Networks, x: tweepy.Client) -> None:
    networks.control.set_rules(limiter=True, x_limit=2)
    x.search_recent_tweets("a")
    x.search_recent_tweets("a")

    with pytest.raises(tweepy.TooManyRequests) as refused:
        x.search_recent_tweets("a")

    assert refused.value.response.headers["x-rate-limit-remaining"] == "0"


def test_x_mentions_hold_the_newest_800(networks: Networks, x: tweepy.Client) -> None:
    ids = networks.control.add("x", texts(900, "@nordlicht"))
    me = x.get_me(user_auth=False)["data"]
    named = x.get_user(username="NordLicht")["data"]

    pages = list(tweepy.Paginator(x.get_users_mentions, me["id"], max_results=100))

    assert named["id"] == me["id"]
    assert [post["id"] for page in pages for post in page["data"]] == ids[:99:-1]


def test_x_late_post_has_an_id_below_those_already_read(
    networks: Networks, x: tweepy.Client
) -> None:
    ids = networks.control.add("x", texts(3))
    late = {"text": "nordlicht late", "published_at": datetime.now(UTC) - timedelta(hours=2)}
    [late_id] = networks.control.add("x", [late])

    found = x.search_recent_tweets("nordlicht", since_id=ids[0])

    assert int(late_id) < int(ids[0])
    assert late_id not in {post["id"] for post in found["data"]}


def test_x_posts_leave_the_search_after_seven_days(networks: Networks, x: tweepy.Client) -> None:
    [old] = networks.control.add("x", texts(1))
    networks.control.advance(8 * 86_400)

    assert x.search_recent_tweets("nordlicht")["meta"] == {"result_count": 0}
    assert [post["id"] for post in x.get_tweets([old])["data"]] == [old]
    with pytest.raises(tweepy.BadRequest, match="larger than"):
        x.search_recent_tweets("nordlicht", since_id=old)


def test_x_counts_agree_with_the_search(networks: Networks, x: tweepy.Client) -> None:
    networks.control.add("x", texts(42))

    answer = x.get_recent_tweets_count("nordlicht", granularity="hour")

    assert answer["meta"]["total_tweet_count"] == 42
    assert sum(bucket["tweet_count"] for bucket in answer["data"]) == 42


def test_x_search_can_lag_and_leave_reposts_out(networks: Networks, x: tweepy.Client) -> None:
    [original] = networks.control.add("x", texts(1))
    networks.control.add("x", [{"text": "", "repost_of": original}, {"text": "nordlicht now"}])

    networks.control.set_rules(x_reposts_in_search=False)
    assert x.search_recent_tweets("nordlicht")["meta"]["result_count"] == 2
    networks.control.set_rules(x_search_lag_s=30)
    assert x.search_recent_tweets("nordlicht")["meta"]["newest_id"] == original
    networks.control.advance(31)
    assert x.search_recent_tweets("nordlicht")["meta"]["result_count"] == 2
