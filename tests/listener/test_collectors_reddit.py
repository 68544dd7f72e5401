"""Reddit: what only Reddit does."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from config.clock import utc_now
from config.errors import InputError, PermanentError, TransientError
from listener.collector import make_collector
from listener.reddit_api.payload import parse_listing, parse_thing
from listener.types import DeletedPost, DeletionReason, GapKind, Post, PostKind
from tests.listener.conformance import Runner, ask, ids_of, read
from tests.listener.worlds import RedditComments, RedditInbox, RedditSearch
from tests.networks import Networks


@pytest.fixture
def comments(networks: Networks) -> RedditComments:
    return RedditComments(networks)


@pytest.fixture
def search(networks: Networks) -> RedditSearch:
    return RedditSearch(networks)


def _comment(**changes: Any) -> dict[str, Any]:
    data = {
        "id": "c1",
        "name": "t1_c1",
        "author": "someone",
        "author_fullname": "t2_abc",
        "body": "a comment",
        "created_utc": 1_700_000_000.0,
        "link_id": "t3_s1",
        "parent_id": "t3_s1",
        "permalink": "/r/gadgets/comments/s1/title/c1/",
    }
    return {"kind": "t1", "data": data | changes}


def test_what_a_listing_no_longer_holds_is_a_gap(sessions: Any, comments: RedditComments) -> None:
    runner = Runner(sessions, comments)
    comments.publish(20, ends=utc_now() - timedelta(hours=2))
    runner.collect(page_size=100)
    new = comments.publish(1_300)

    runner.collect(page_size=100)
    runner.collect(page_size=100)

    assert set(new[-1_000:]) <= runner.ids()
    [gap] = runner.gaps()
    assert gap.kind is GapKind.HORIZON
    assert gap.from_at is not None
    assert abs(gap.from_at - utc_now()) < timedelta(minutes=2)
    stored = {mention.external_id: mention.published_at for mention in runner.mentions()}
    assert gap.to_at == stored[new[-1_000]]


def test_more_new_posts_than_a_page_but_fewer_than_the_horizon_are_no_gap(
    sessions: Any, comments: RedditComments
) -> None:
    runner = Runner(sessions, comments)
    comments.publish(20, ends=utc_now() - timedelta(hours=2))
    runner.collect(page_size=100)
    new = comments.publish(900)

    runner.collect(page_size=100)

    assert set(new) <= runner.ids()
    assert runner.gaps() == []


def test_a_dense_overlap_is_not_read_again_in_every_run(
    sessions: Any, comments: RedditComments
) -> None:
    runner = Runner(sessions, comments)
    now = utc_now()
    comments.publish(400, ends=now - timedelta(seconds=10), step_s=0.1)
    runner.collect(page_size=100)
    runner.collect(page_size=100)
    comments.control.clear_requests()

    late = comments.add([comments.post("late", now - timedelta(seconds=40))])
    new = comments.publish(3, ends=now)
    runner.collect(page_size=100)
    assert comments.control.count("reddit", comments.path) == 1
    assert set(new) <= runner.ids()
    runner.collect(page_size=100, clock=lambda: now + timedelta(seconds=50))

    assert set(late) <= runner.ids()


def test_a_walk_that_is_resumed_below_the_horizon_starts_again(
    comments: RedditComments,
) -> None:
    comments.publish(250, ends=utc_now() - timedelta(minutes=30))
    first, *_ = read(comments, ask(), page_size=100)
    new = comments.publish(1_100)

    pages = read(comments, ask(first.cursor), page_size=100)

    assert set(new[-1_000:]) <= ids_of(pages)
    assert [gap.kind for page in pages for gap in page.gaps] == [GapKind.HORIZON]


def test_search_finds_titles_and_texts_of_submissions(search: RedditSearch) -> None:
    now = utc_now() - timedelta(seconds=5)
    search.add(
        [
            {"kind": "submission", "title": "Nordlicht?", "text": "Any good?", "published_at": now},
            {
                "kind": "submission",
                "title": "Nordlicht burns",
                "text": "",
                "url": "https://news.example/fire",
                "published_at": now,
            },
        ]
    )

    [page] = read(search, ask())

    texts = {post.text: post for post in page.posts}
    assert set(texts) == {"Nordlicht?\n\nAny good?", "Nordlicht burns"}
    assert texts["Nordlicht burns"].links == ("https://news.example/fire",)
    assert texts["Nordlicht?\n\nAny good?"].url is not None
    assert "/r/gadgets/comments/" in (texts["Nordlicht?\n\nAny good?"].url or "")


def test_comments_are_filtered_here(sessions: Any, comments: RedditComments) -> None:
    runner = Runner(sessions, comments)
    comments.publish(3)
    comments.control.add("reddit", [{"text": "about something else", "kind": "comment"}])

    runner.collect()

    assert len(runner.mentions()) == 3


def test_the_inbox_is_not_filtered_and_needs_an_account(
    sessions: Any, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = RedditInbox(networks)
    runner = Runner(sessions, inbox, query="somethingelse")
    inbox.publish(2)
    runner.collect()
    assert len(runner.mentions()) == 2

    monkeypatch.setenv("GROUNDSWELL_REDDIT_CLIENT_ID", "an id")
    with pytest.raises(InputError, match="GROUNDSWELL_REDDIT_USERNAME"):
        make_collector("reddit", {"kind": "inbox"})


def test_a_token_that_expires_during_a_walk_is_renewed(comments: RedditComments) -> None:
    published = comments.publish(35)
    collector = comments.collector()
    found: set[str] = set()
    for page in collector.pages(ask()):
        found |= {post.external_id for post in page.posts}
        comments.control.expire_tokens()
    collector.close()

    assert found == set(published)


@pytest.mark.parametrize("state", ["private", "banned", "missing"])
def test_a_closed_subreddit_is_a_refusal_that_says_so(comments: RedditComments, state: str) -> None:
    comments.control.set_subreddit("all", state)

    with pytest.raises(PermanentError, match="subreddits"):
        read(comments, ask())


def test_a_used_up_limit_never_makes_the_worker_sleep(comments: RedditComments) -> None:
    comments.publish(60)
    comments.control.set_rules(limiter=True, reddit_limit=1, reddit_window_s=600)
    start = time.monotonic()

    with pytest.raises(TransientError) as caught:
        read(comments, ask())

    assert time.monotonic() - start < 5
    assert caught.value.retry_after_s is not None
    assert 500 < caught.value.retry_after_s <= 600


def test_a_server_that_fails_is_not_asked_again_at_once(comments: RedditComments) -> None:
    comments.fault("status", status=503, times=-1, headers="retry_after", seconds=40)

    with pytest.raises(TransientError, match="503") as caught:
        read(comments, ask())

    assert caught.value.retry_after_s == 40
    assert comments.control.count("reddit", comments.path) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": "[deleted]", "author": "[deleted]"}, DeletionReason.DELETED),
        ({"body": "[removed]"}, DeletionReason.REMOVED),
    ],
)
def test_what_is_gone_is_a_tombstone(changes: dict[str, Any], reason: DeletionReason) -> None:
    assert parse_thing(_comment(**changes)) == DeletedPost("t1_c1", reason)


def test_a_comment_whose_author_is_gone_stays() -> None:
    post = parse_thing(_comment(author="[deleted]", author_fullname=None))

    assert isinstance(post, Post)
    assert post.author is None
    assert post.text == "a comment"


def test_entities_edits_and_places_are_read() -> None:
    post = parse_thing(_comment(body="5 &lt; 6 &amp; 7&#x200B;", edited=1_700_000_100.0))

    assert isinstance(post, Post)
    assert post.text == "5 < 6 & 7\u200b"
    assert post.kind is PostKind.COMMENT
    assert post.conversation_id == post.reply_to_id == "t3_s1"
    assert post.edited_at is not None
    assert post.edited_at - post.published_at == timedelta(seconds=100)
    assert post.url == "https://www.reddit.com/r/gadgets/comments/s1/title/c1/"


@pytest.mark.parametrize(
    "child",
    [None, "text", 7, [], {}, {"kind": "more", "data": {}}, _comment(created_utc="never")],
)
def test_things_that_are_no_posts_are_put_aside(child: object) -> None:
    listing = parse_listing({"kind": "Listing", "data": {"children": [child, _comment()]}})

    assert [post.external_id for post in listing.posts] == ["t1_c1"]
    assert len(listing.rejected) == 1


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"kind": "stream"}, "search"),
        ({"subreddits": ["no/slash"]}, "subreddit"),
        ({"subreddits": []}, "subreddits"),
        ({"limit": 1_000}, "limit"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        make_collector("reddit", options)


def test_a_missing_client_is_named() -> None:
    with pytest.raises(InputError, match="GROUNDSWELL_REDDIT_CLIENT_ID"):
        make_collector("reddit", {})
