"""X: what only X does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from config.clock import utc_now
from config.errors import BudgetExhaustedError, InputError, PermanentError, TransientError
from listener.collector import make_collector
from listener.types import GapKind, Page, PostKind, Walk
from listener.x_api.cursor import OpenWalk, SearchState, XCursor, advanced, stuck
from listener.x_api.payload import XPage
from tests.listener.conformance import Runner, ask, ids_of, read
from tests.listener.worlds import XMentions, XSearch
from tests.networks import Networks


@pytest.fixture
def search(networks: Networks) -> XSearch:
    return XSearch(networks)


@pytest.fixture
def mentions(networks: Networks) -> XMentions:
    return XMentions(networks)


def _since(pages: list[Page]) -> str | None:
    cursor = XCursor.read(pages[-1].cursor)
    return next(iter(cursor.searches.values())).since


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("naming", ["tweet", "post"])
def test_both_namings_of_the_api_are_read_alike(
    search: XSearch, naming: str, *, strict: bool
) -> None:
    now = utc_now() - timedelta(seconds=10)
    [original] = search.add([search.post("the original, long " + "and longer " * 60, now)])
    search.add(
        [
            search.post("", now, repost_of=original, author="fan"),
            search.post("I quote", now, quote_of=original),
            search.post("I reply", now, reply_to=original),
        ]
    )
    search.control.set_rules(x_naming=naming, x_strict_naming=strict)

    [page] = read(search, ask())

    by_kind = {post.kind: post for post in page.posts}
    assert set(by_kind) == {PostKind.POST, PostKind.REPOST, PostKind.QUOTE, PostKind.REPLY}
    assert by_kind[PostKind.REPOST].text == by_kind[PostKind.POST].text
    assert by_kind[PostKind.REPOST].text.endswith("and longer ")
    assert by_kind[PostKind.REPOST].repost_of_id == original
    assert by_kind[PostKind.REPLY].reply_to_id == original
    author = by_kind[PostKind.REPOST].author
    assert author is not None
    assert author.handle == "fan"
    assert page.gaps == ()


def test_since_moves_only_after_the_last_page_and_to_the_first_pages_newest(
    search: XSearch,
) -> None:
    published = search.publish(35)
    pages = read(search, ask())

    assert [_since(pages[: number + 1]) for number in range(4)] == [None, None, None, published[-1]]


def test_all_pages_of_a_walk_ask_above_the_same_id(search: XSearch) -> None:
    search.publish(20, ends=utc_now() - timedelta(minutes=10))
    [*_, last] = read(search, ask())
    search.publish(35)
    search.control.clear_requests()

    read(search, ask(last.cursor))

    asked = [request["query"] for request in search.control.requests("x", search.path)]
    # The 20 known posts lie within the overlap and are read again.
    assert len(asked) == 6
    assert len({query["since_id"] for query in asked}) == 1


def test_a_page_token_that_x_forgot_starts_the_walk_again(search: XSearch) -> None:
    published = search.publish(35)
    first, *_ = read(search, ask())
    assert first.cursor is not None
    cursor = XCursor.read(first.cursor)
    [(key, state)] = cursor.searches.items()
    assert state.walk is not None
    broken = state.model_copy(update={"walk": state.walk.model_copy(update={"token": "gone"})})

    pages = read(search, ask(cursor.with_state(key, broken).dump()))

    assert ids_of(pages) == set(published)


def test_ids_are_compared_as_numbers(mentions: XMentions) -> None:
    now = utc_now()
    mentions.add([mentions.post("ten digits", now, id="1000000000")])
    mentions.add([mentions.post("nine digits", now, id="999999999")])
    key = str(mentions.control.author("x", "nordlicht")["id"])
    cursor = XCursor(searches={key: SearchState(since="999999999", checked_at=now)})

    pages = read(mentions, ask(cursor.dump()))

    assert ids_of(pages) == {"999999999", "1000000000"}
    assert _since(pages) == "1000000000"


def test_an_edited_post_is_one_mention_with_its_first_time(sessions: Any, search: XSearch) -> None:
    runner = Runner(sessions, search)
    [first] = search.add([search.post("befor", utc_now() - timedelta(seconds=20))])
    runner.collect()
    second = search.control.edit("x", first, "nordlicht before")
    runner.collect()

    [mention] = runner.mentions()
    assert mention.text == "nordlicht before"
    assert mention.versions == 2
    assert mention.published_at < utc_now() - timedelta(seconds=19)
    assert first != second


def test_what_search_no_longer_shows_is_a_gap(sessions: Any, search: XSearch) -> None:
    runner = Runner(sessions, search)
    search.publish(3)
    runner.collect()
    search.control.advance(9 * 86_400)
    later = utc_now() + timedelta(days=9)
    new = search.publish(3, ends=later)

    runner.collect(clock=lambda: later)
    runner.collect(clock=lambda: later)

    assert set(new) <= runner.ids()
    [gap] = runner.gaps()
    assert gap.kind is GapKind.HORIZON
    assert gap.from_at is not None
    assert gap.to_at is not None
    assert abs(gap.from_at - utc_now()) < timedelta(minutes=1)
    assert abs(gap.to_at - (later - timedelta(days=7))) < timedelta(minutes=2)


def test_a_quiet_week_that_was_watched_is_no_gap(sessions: Any, search: XSearch) -> None:
    runner = Runner(sessions, search)
    search.publish(3)
    for days in (0, 4, 8, 12):
        now = utc_now() + timedelta(days=days)
        runner.collect(clock=lambda now=now: now)
        search.control.advance(4 * 86_400)

    assert runner.gaps() == []


def test_more_mentions_than_x_shows_are_a_gap(sessions: Any, mentions: XMentions) -> None:
    runner = Runner(sessions, mentions)
    mentions.publish(5, ends=utc_now() - timedelta(hours=1))
    runner.collect(page_size=100)
    new = mentions.publish(1_000, step_s=1)

    runner.collect(page_size=100)

    assert runner.ids() >= set(new[-800:])
    [gap] = runner.gaps()
    assert gap.kind is GapKind.HORIZON
    assert gap.to_at == min(
        mention.published_at for mention in runner.mentions() if mention.external_id in set(new)
    )


def test_a_token_that_never_changes_ends_the_walk_with_a_gap() -> None:
    walk = OpenWalk(bound="5", started_at=utc_now(), token="same", candidate="9")
    page = XPage(posts=(), next_token="same")

    assert advanced(walk, page, 0).token is None
    [gap] = stuck(walk, page)
    assert gap.kind is GapKind.TRUNCATED
    assert stuck(walk, XPage(posts=(), next_token="next")) == ()
    assert stuck(walk, XPage(posts=())) == ()


def test_a_partial_answer_is_a_gap(search: XSearch) -> None:
    search.publish(3)
    search.fault("partial")

    [page] = read(search, ask())

    assert [gap.kind for gap in page.gaps] == [GapKind.PARTIAL]


def test_that_an_answered_post_is_gone_is_no_gap(search: XSearch) -> None:
    now = utc_now() - timedelta(seconds=5)
    [parent] = search.add([{"text": "something else", "published_at": now}])
    search.add([search.post("a reply", now, reply_to=parent)])
    search.control.delete("x", [parent])

    [page] = read(search, ask())

    assert page.posts[0].reply_to_id == parent
    assert page.gaps == ()


@pytest.mark.parametrize("status", [402, 403, 429])
def test_a_used_up_month_pauses(search: XSearch, status: int) -> None:
    search.fault("credits", status=status)

    with pytest.raises(BudgetExhaustedError, match="credit") as caught:
        read(search, ask())

    assert caught.value.resume_after_s > 3_600


@pytest.mark.parametrize(("status", "names"), [(401, "BEARER_TOKEN"), (403, "access")])
def test_a_refusal_says_what_to_do(search: XSearch, status: int, names: str) -> None:
    search.fault("status", status=status)

    with pytest.raises(PermanentError, match=names):
        read(search, ask())


def test_a_limit_is_never_retried_by_tweepy(search: XSearch) -> None:
    search.fault("rate_limit", headers="none", times=-1)

    for _ in range(3):
        with pytest.raises(TransientError):
            read(search, ask())

    assert search.control.count("x", search.path) == 3


def test_an_account_that_does_not_exist_is_named(mentions: XMentions) -> None:
    collector = make_collector_for(mentions, "nobody_here")

    with pytest.raises(PermanentError, match="account"):
        next(collector)


def make_collector_for(world: XMentions, account: str) -> Iterator[Page]:
    from listener.collectors.x import XCollector, XKind, XOptions, XSettings  # noqa: PLC0415

    settings = XSettings.model_validate({"bearer_token": "t", "base_url": world.networks.x_url})
    collector = XCollector(XOptions(kind=XKind.MENTIONS, account=account), settings)
    try:
        yield from collector.pages(ask())
    finally:
        collector.close()


def test_a_dense_overlap_is_not_read_again_in_every_run(sessions: Any, search: XSearch) -> None:
    runner = Runner(sessions, search)
    now = utc_now()
    search.publish(400, ends=now - timedelta(seconds=5), step_s=0.1)
    runner.collect(page_size=100)
    runner.collect(page_size=100)
    search.control.clear_requests()

    late = search.add([search.post("late", now - timedelta(seconds=40))])
    new = search.publish(3, ends=now)
    runner.collect(page_size=100)
    assert search.control.count("x", search.path) == 1
    assert set(new) <= runner.ids()
    runner.collect(page_size=100, clock=lambda: now + timedelta(seconds=35))

    assert set(late) <= runner.ids()


def test_an_account_may_be_a_number_in_yaml() -> None:
    from listener.collectors.x import XOptions  # noqa: PLC0415

    assert XOptions.model_validate({"kind": "mentions", "account": 783214}).account == "783214"


def test_a_query_too_long_for_x_becomes_several_searches(search: XSearch) -> None:
    words = [f"verylongword{number:03d}" for number in range(60)]
    now = utc_now() - timedelta(seconds=5)
    published = search.add([search.post(word, now) for word in words[::10]])

    pages = read(search, ask(query=" OR ".join(words)))

    assert ids_of(pages) == set(published)
    assert len(XCursor.read(pages[-1].cursor).searches) > 1


def test_until_bounds_a_backfill(search: XSearch) -> None:
    now = utc_now()
    old = search.publish(12, ends=now - timedelta(hours=1))
    search.publish(12, ends=now)
    walk = ask()
    bounded = Walk(
        cursor=None, query=walk.query, since=walk.since, now=now, until=now - timedelta(minutes=30)
    )

    assert ids_of(read(search, bounded)) == set(old)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"kind": "mentions"}, "account"),
        ({"kind": "timeline"}, "search"),
        ({"page_size": 5}, "page_size"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        make_collector("x", options)


def test_a_missing_token_is_named() -> None:
    with pytest.raises(InputError, match="GROUNDSWELL_X_BEARER_TOKEN"):
        make_collector("x", {})
