from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listener.cleaning import MAX_TEXT_LENGTH, unpack_raw
from listener.collection_models import QuarantinedItem, RawPost
from listener.models import Author, Mention, MentionAlias, MentionVersion, Step
from listener.store import StoreCounts, store_posts
from listener.types import Post
from tests.make import NOW, make_brand, make_post, make_profile


@pytest.fixture
def brand_id(session: Session) -> int:
    return make_brand(session).id


def _store(session: Session, brand_id: int, *posts: Post, **changes: Any) -> StoreCounts:
    values: dict[str, Any] = {"platform": "x", "source_id": None, "now": NOW}
    return store_posts(session, brand_id=brand_id, posts=posts, **(values | changes))


def _mention(session: Session) -> Mention:
    session.expire_all()
    return session.scalars(select(Mention)).one()


def _count(session: Session, model: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_posts_become_mentions_that_wait_for_scoring(session: Session, brand_id: int) -> None:
    posts = [make_post(likes=3, links=("https://example.org",), raw={"id": "1"}) for _ in range(3)]

    counts = _store(session, brand_id, *posts)

    assert counts == StoreCounts(seen=3, new=3)
    rows = session.scalars(select(Mention).order_by(Mention.id)).all()
    assert [row.external_id for row in rows] == [post.external_id for post in posts]
    assert {row.pending for row in rows} == {Step.SCORE}
    assert rows[0].text == posts[0].text
    assert rows[0].published_at == posts[0].published_at
    assert (rows[0].likes, rows[0].links, rows[0].label) == (3, ["https://example.org"], None)
    assert _count(session, Author) == 3
    assert _count(session, RawPost) == 3


def test_a_page_that_is_read_twice_changes_nothing(session: Session, brand_id: int) -> None:
    posts = [make_post(raw={"id": "1"}) for _ in range(5)]
    _store(session, brand_id, *posts)

    again = _store(session, brand_id, *posts, *posts, now=NOW + timedelta(hours=1))

    assert again == StoreCounts(seen=10)
    assert _count(session, Mention) == 5
    assert session.scalars(select(Mention.fetched_at)).first() == NOW


def test_the_same_post_about_two_brands_is_two_mentions(session: Session, brand_id: int) -> None:
    post = make_post(raw={"id": "1"})
    other = make_brand(session).id

    _store(session, brand_id, post)
    _store(session, other, post)

    assert _count(session, Mention) == 2
    assert _count(session, Author) == 1


def test_an_edit_under_the_same_id_keeps_the_old_text_and_the_judgement(
    session: Session, brand_id: int
) -> None:
    post = make_post(text="Acme is bad")
    _store(session, brand_id, post)
    row = _mention(session)
    row.label, row.score, row.pending = "negative", -0.5, None
    session.flush()

    counts = _store(
        session,
        brand_id,
        replace(post, text="Acme is good", published_at=NOW, edited_at=NOW),
    )

    assert counts == StoreCounts(seen=1, changed=1)
    row = _mention(session)
    assert (row.text, row.versions, row.pending) == ("Acme is good", 2, Step.SCORE)
    assert (row.label, row.score) == ("negative", -0.5)
    assert row.published_at == post.published_at
    version = session.scalars(select(MentionVersion)).one()
    assert (version.number, version.text) == (1, "Acme is bad")


def test_an_old_version_that_arrives_late_does_not_win(session: Session, brand_id: int) -> None:
    old = make_post(text="first")
    _store(session, brand_id, replace(old, text="second", edited_at=NOW))

    counts = _store(session, brand_id, old, replace(old, text="half", edited_at=NOW - timedelta(1)))

    assert counts.changed == 0
    assert _mention(session).text == "second"


def _versions_of_one_post() -> list[Post]:
    """Three versions as X gives them: new ids, each naming the earlier ones."""
    author = make_profile()
    return [
        make_post(
            external_id=str(100 + number),
            earlier_ids=tuple(str(100 + before) for before in range(number)),
            text=f"version {number}",
            published_at=NOW + timedelta(seconds=number),
            author=author,
            raw={"id": str(100 + number)},
        )
        for number in range(3)
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("at_once", [True, False])
def test_versions_with_new_ids_are_one_mention_in_whatever_order_they_arrive(
    session: Session, brand_id: int, order: tuple[int, ...], *, at_once: bool
) -> None:
    posts = _versions_of_one_post()
    arriving = [posts[number] for number in order]

    if at_once:
        _store(session, brand_id, *arriving)
    else:
        for post in arriving:
            _store(session, brand_id, post)
    again = _store(session, brand_id, *arriving)

    assert again == StoreCounts(seen=3)
    row = _mention(session)
    assert (row.external_id, row.text, row.versions) == ("102", "version 2", 3)
    aliases = session.scalars(select(MentionAlias.external_id).order_by(MentionAlias.external_id))
    assert aliases.all() == ["100", "101"]
    versions = session.scalars(select(MentionVersion.text).order_by(MentionVersion.text)).all()
    assert versions == ["version 0", "version 1"]
    assert _count(session, RawPost) == 3


def test_an_edit_with_a_new_id_keeps_the_publication_time(session: Session, brand_id: int) -> None:
    first, _, last = _versions_of_one_post()
    _store(session, brand_id, first)

    counts = _store(session, brand_id, last)

    assert counts == StoreCounts(seen=1, changed=1)
    row = _mention(session)
    assert (row.published_at, row.edited_at) == (first.published_at, last.published_at)


def test_a_tombstone_is_not_brought_back(session: Session, brand_id: int) -> None:
    post = make_post()
    _store(session, brand_id, post)
    row = _mention(session)
    row.deleted_at, row.text = NOW, ""
    session.flush()

    _store(session, brand_id, post)

    assert _mention(session).text == ""


def test_counts_are_brought_up_to_date_without_a_new_judgement(
    session: Session, brand_id: int
) -> None:
    post = make_post(likes=1, views=10)
    _store(session, brand_id, post)
    row = _mention(session)
    row.pending = None
    session.flush()

    counts = _store(session, brand_id, replace(post, likes=9, views=None))

    assert counts == StoreCounts(seen=1)
    row = _mention(session)
    assert (row.likes, row.views, row.pending) == (9, 10, None)


def test_an_author_is_never_forgotten_by_a_shorter_answer(session: Session, brand_id: int) -> None:
    whole = make_profile(bio="I am made up", followers=5, created_at=NOW)
    _store(session, brand_id, make_post(author=whole))
    author = session.scalars(select(Author)).one()
    author.link_due_at = None
    session.flush()
    later = NOW + timedelta(hours=1)

    bare = replace(whole, bio=None, handle=None, created_at=None, followers=7)
    _store(session, brand_id, make_post(author=bare), now=later)

    session.refresh(author)
    assert (author.bio, author.handle, author.followers) == (whole.bio, whole.handle, 7)
    assert not author.link_due_at

    _store(session, brand_id, make_post(author=replace(whole, bio="changed")), now=later)

    session.refresh(author)
    assert author.bio == "changed"
    assert author.link_due_at == later


def test_a_post_without_a_zone_is_quarantined_and_the_others_are_stored(
    session: Session, brand_id: int
) -> None:
    naive = make_post(published_at=datetime(2026, 3, 4, 12, 0))  # noqa: DTZ001 - the point
    endless = make_post(text="x" * (MAX_TEXT_LENGTH + 1))

    counts = _store(session, brand_id, make_post(), naive, endless, make_post())
    _store(session, brand_id, naive)

    assert counts == StoreCounts(seen=4, new=2, rejected=2)
    items = session.scalars(select(QuarantinedItem)).all()
    assert {item.external_id for item in items} == {naive.external_id, endless.external_id}
    assert any("has no zone" in item.error for item in items)


def test_characters_that_no_database_stores_are_left_out(session: Session, brand_id: int) -> None:
    text = "nul \x00 half \ud83d whole \U0001f600 right-to-left \u202e\u05d0"
    profile = make_profile(name="a\x00b", bio="\udc00")

    counts = _store(session, brand_id, make_post(text=text, author=profile, raw={"text": text}))

    assert counts.new == 1
    assert _mention(session).text == "nul  half  whole \U0001f600 right-to-left \u202e\u05d0"
    assert session.scalars(select(Author.name)).one() == "ab"
    payload = session.scalars(select(RawPost.payload)).one()
    assert "whole" in unpack_raw(payload)["text"]


def test_a_post_of_a_megabyte_is_stored_whole(session: Session, brand_id: int) -> None:
    text = "Ärger mit Acme! " * 65_536

    _store(session, brand_id, make_post(text=text))

    assert _mention(session).text == text


def test_ids_and_numbers_beyond_their_columns_are_made_to_fit(
    session: Session, brand_id: int
) -> None:
    long_ids = [f"https://example.org/{'x' * 400}/{number}" for number in range(2)]
    posts = [
        make_post(
            external_id=name,
            author=make_profile(external_id=name),
            likes=2**70,
            lang="x" * 40,
            raw={"likes": 2**70},
        )
        for name in long_ids
    ]

    assert _store(session, brand_id, *posts).new == 2
    assert _store(session, brand_id, *posts).new == 0
    assert _count(session, Author) == 2


def test_a_time_in_another_zone_is_stored_in_utc(session: Session, brand_id: int) -> None:
    zoned = datetime.fromisoformat("2026-03-04T23:30:00-07:00")

    _store(session, brand_id, make_post(published_at=zoned))

    stored = _mention(session).published_at
    assert (stored, stored.tzinfo) == (zoned, UTC)


def test_raw_answers_can_be_left_out(session: Session, brand_id: int) -> None:
    _store(session, brand_id, make_post(raw={"id": "1"}), keep_raw=False)

    assert _count(session, RawPost) == 0
