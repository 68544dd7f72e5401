"""Reading X's answers: every spelling, missing parts, and items that are none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from listener.types import PostKind
from listener.x_api.models import id_at, id_before, time_of
from listener.x_api.payload import parse_page


def _tweet(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1500000000000000000",
        "text": "hello",
        "created_at": "2022-03-05T06:47:23.000Z",
        "author_id": "7",
    } | changes


def _user(**changes: Any) -> dict[str, Any]:
    return {"id": "7", "name": "Grace &amp; Co", "username": "grace"} | changes


def _one(item: dict[str, Any], **includes: Any) -> Any:
    page = parse_page({"data": [item], "includes": {"users": [_user()], **includes}})
    assert page.rejected == ()
    return page.posts[0]


def test_numbers_are_read_as_text_or_as_numbers() -> None:
    post = _one(_tweet(id=1500000000000000000, author_id=7, public_metrics={"like_count": "3"}))

    assert post.external_id == "1500000000000000000"
    assert post.likes == 3
    assert post.author.handle == "grace"


def test_everything_but_id_and_text_may_be_missing() -> None:
    page = parse_page({"data": {"id": "1500000000000000000", "text": "hello"}})

    [post] = page.posts
    assert post.author is None
    assert post.url == "https://x.com/i/status/1500000000000000000"
    # X's ids tell the time, to the millisecond.
    assert post.published_at == datetime(2022, 3, 5, 6, 47, 23, 309_000, tzinfo=UTC)


def test_nulls_stand_for_missing_parts() -> None:
    names = ("entities", "referenced_tweets", "edit_history_tweet_ids", "public_metrics", "lang")
    post = _one(_tweet(**dict.fromkeys(names), note_tweet=None))

    assert post.kind is PostKind.POST
    assert post.links == ()


@pytest.mark.parametrize("name", ["note_tweet", "note_post"])
def test_the_whole_of_a_long_text_is_taken_with_its_links(name: str) -> None:
    entities = {"urls": [{"url": "https://t.co/abc", "expanded_url": "https://a.example/?x=1&y=2"}]}
    note = {"text": "long 5 &lt; 6 &amp; see https://t.co/abc", "entities": entities}

    post = _one(_tweet(text="long…", **{name: note}))

    assert post.text == "long 5 < 6 & see https://t.co/abc"
    assert post.links == ("https://a.example/?x=1&y=2",)


@pytest.mark.parametrize(
    ("references", "included"), [("referenced_tweets", "tweets"), ("referenced_posts", "posts")]
)
def test_a_repost_has_the_text_and_links_of_the_original(references: str, included: str) -> None:
    original = _tweet(id="1400000000000000000", text="cut…", note_tweet={"text": "all of it"})
    repost = _tweet(
        text="RT @a: cut…", **{references: [{"type": "retweeted", "id": "1400000000000000000"}]}
    )

    post = _one(repost, **{included: [original]})

    assert post.kind is PostKind.REPOST
    assert post.text == "all of it"
    assert post.repost_of_id == "1400000000000000000"
    assert post.author.handle == "grace"


@pytest.mark.parametrize("name", ["edit_history_tweet_ids", "edit_history_post_ids"])
def test_an_edit_names_older_versions_only(name: str) -> None:
    ids = ["1500000000000000009", "1499999990000000000", "1500000000000000000"]

    post = _one(_tweet(**{name: ids}))

    assert post.earlier_ids == ("1499999990000000000",)
    assert post.edited_at == datetime(2022, 3, 5, 6, 47, 23, tzinfo=UTC)
    assert post.published_at < post.edited_at


def test_texts_and_profiles_are_decoded_and_composed() -> None:
    decomposed = "Lo\u0301dz &gt; 👩🏽\u200d🚀"

    post = _one(_tweet(text=decomposed))

    assert post.text == "Lódz > 👩🏽\u200d🚀"
    assert post.author.name == "Grace & Co"


def test_a_profile_that_cannot_be_read_costs_only_itself() -> None:
    page = parse_page({"data": [_tweet()], "includes": {"users": [_user(created_at="never")]}})

    [post] = page.posts
    assert post.author is not None
    assert (post.author.external_id, post.author.handle) == ("7", None)


@pytest.mark.parametrize(
    ("code", "read"),
    [("en", "en"), ("in", "id"), ("iw", "he"), ("und", None), ("zxx", None), ("zh-TW", "zh")],
)
def test_codes_that_are_no_languages_are_unknown(code: str, read: str | None) -> None:
    assert _one(_tweet(lang=code)).lang == read


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "text",
        7,
        {},
        _tweet(id=None),
        _tweet(id="not a number"),
        _tweet(text={"not": "text"}),
        _tweet(created_at="Wed Jan 32 18:40:40 +0000 2021"),
        _tweet(created_at="2022-03-05T06:47:23"),
        _tweet(referenced_tweets="everything"),
        {"id": "20", "text": "too old to tell the time"},
    ],
)
def test_an_item_that_cannot_be_read_is_put_aside(bad: Any) -> None:
    page = parse_page({"data": [_tweet(), bad, _tweet(id="1500000000000000001")]})

    assert len(page.posts) == 2
    [rejected] = page.rejected
    assert rejected.error
    assert rejected.raw


@pytest.mark.parametrize("payload", [None, [], {}, "text", 7, {"data": None}, {"errors": "x"}])
def test_an_answer_without_items_is_an_empty_page(payload: Any) -> None:
    assert parse_page(payload).posts == ()


def test_answers_of_api_1_1_are_read() -> None:
    user = {"id_str": "7", "screen_name": "grace", "name": "Grace", "followers_count": 5}
    original = {
        "id_str": "1400000000000000000",
        "full_text": "the whole original",
        "created_at": "Wed Jan 06 18:40:40 +0000 2021",
        "user": user | {"id_str": "8"},
    }
    status = original | {
        "id_str": "1500000000000000000",
        "full_text": "RT @x: the whole…",
        "retweeted_status": original,
        "user": user,
        "favorite_count": 4,
        "in_reply_to_status_id_str": None,
    }

    page = parse_page({"statuses": [status, "broken"]})

    [post] = page.posts
    assert post.text == "the whole original"
    assert post.kind is PostKind.REPOST
    assert post.published_at == datetime(2021, 1, 6, 18, 40, 40, tzinfo=UTC)
    assert post.author is not None
    assert (post.author.handle, post.author.followers, post.likes) == ("grace", 5, 4)
    assert post.raw == status
    assert len(page.rejected) == 1


def test_ids_and_times_agree() -> None:
    moment = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)

    assert time_of(id_at(moment)) == moment
    assert time_of(id_before(id_at(moment), 90)) == datetime(2026, 3, 29, 1, 28, 30, tzinfo=UTC)
    assert id_before(999_999_999, 90) == 0
    assert time_of(999_999_999) is None
