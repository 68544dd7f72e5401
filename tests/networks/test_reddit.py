"""The fake Reddit lists, searches and signs in as Reddit does, seen through praw."""

from __future__ import annotations

import httpx
import praw
import prawcore
import pytest

from tests.networks import Networks
from tests.networks.samples import comments


def test_reddit_listing_holds_its_newest_thousand(networks: Networks, reddit: praw.Reddit) -> None:
    ids = networks.control.add("reddit", comments(1_200))

    found = list(reddit.subreddit("gadgets").comments(limit=None))

    assert [comment.fullname for comment in found] == ids[:199:-1]
    assert networks.control.count("reddit", "/r/*/comments*") == 10


def test_reddit_gives_what_lies_directly_above_a_living_anchor(
    networks: Networks, reddit: praw.Reddit
) -> None:
    ids = networks.control.add("reddit", comments(500))
    above = {"before": ids[99]}

    found = list(reddit.subreddit("gadgets").comments(limit=100, params=above))
    networks.control.delete("reddit", [ids[99]])
    dead = list(reddit.subreddit("gadgets").comments(limit=100, params=above))

    assert [comment.fullname for comment in found] == ids[199:99:-1]
    assert dead == []


def test_reddit_search_finds_submissions_only(networks: Networks, reddit: praw.Reddit) -> None:
    networks.control.add("reddit", comments(3))
    submission = {"kind": "submission", "text": "it smokes", "title": "Nordlicht & fire"}
    [here, there] = networks.control.add(
        "reddit", [submission | {"place": "gadgets"}, submission | {"place": "ebikes"}]
    )

    everywhere = list(reddit.subreddit("all").search("nordlicht AND fire", sort="new"))
    [only] = reddit.subreddit("gadgets").search('title:"nordlicht fire"', time_filter="hour")
    [new] = reddit.subreddit("ebikes+other").new()

    assert [post.fullname for post in everywhere] == [there, here]
    assert only.fullname == here
    assert only.title == "Nordlicht & fire"
    assert only.selftext == "it smokes"
    assert new.fullname == there


def test_reddit_inbox_gives_mentions_until_they_are_read(
    networks: Networks, reddit: praw.Reddit
) -> None:
    named, _, message = networks.control.add(
        "reddit",
        [
            {"text": "what about this, u/nordlicht_team?"},
            {"text": "no one is named"},
            {"text": "please help", "kind": "message", "author": "ada"},
        ],
    )

    mentions = list(reddit.inbox.mentions())
    everything = list(reddit.inbox.all())
    reddit.inbox.mark_read([*mentions])
    unread = list(reddit.inbox.unread())

    assert [mention.fullname for mention in mentions] == [named]
    assert mentions[0].subreddit.display_name == "gadgets"
    assert [item.fullname for item in everything] == [message, named]
    assert [item.fullname for item in unread] == [message]


def test_reddit_info_shows_tombstones_and_lost_authors(
    networks: Networks, reddit: praw.Reddit
) -> None:
    deleted, removed, orphan = networks.control.add("reddit", comments(3, author="ada"))
    networks.control.delete("reddit", [deleted])
    networks.control.delete("reddit", [removed], why="removed")
    networks.control.delete_account("reddit", "ada")

    found = list(reddit.info(fullnames=[deleted, removed, orphan, "t1_zzz"]))

    assert [comment.body for comment in found] == ["[deleted]", "[removed]", "nordlicht number 2"]
    assert [comment.author for comment in found] == [None, None, None]
    assert [c.fullname for c in reddit.subreddit("gadgets").comments()] == [orphan]


def test_reddit_signs_in_again_when_its_token_is_over(
    networks: Networks, reddit: praw.Reddit
) -> None:
    networks.control.add("reddit", comments(1))
    list(reddit.subreddit("gadgets").comments())
    networks.control.expire_tokens()

    assert len(list(reddit.subreddit("gadgets").comments())) == 1
    assert networks.control.count("reddit", "/api/v1/access_token") == 2


def test_reddit_says_when_a_subreddit_is_closed(networks: Networks, reddit: praw.Reddit) -> None:
    networks.control.set_subreddit("secret", "private")
    networks.control.set_subreddit("nowhere", "missing")

    with pytest.raises(prawcore.Forbidden):
        list(reddit.subreddit("secret").new())
    with pytest.raises(prawcore.Redirect):
        list(reddit.subreddit("nowhere").new())


def test_reddit_limiter_refuses_what_is_over_the_limit(networks: Networks) -> None:
    networks.control.set_rules(limiter=True, reddit_limit=2)
    address = f"{networks.reddit_url}/api/v1/access_token"
    signed = httpx.post(address, data={"grant_type": "client_credentials"}, auth=("id", "secret"))
    headers = {"authorization": f"bearer {signed.json()['access_token']}"}

    answers = [httpx.get(f"{networks.reddit_url}/r/all/new", headers=headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-used"] for answer in answers] == ["1", "2", "3"]
    assert answers[1].headers["x-ratelimit-remaining"] == "0.0"
    assert httpx.get(f"{networks.reddit_url}/r/all/new").status_code == 401
