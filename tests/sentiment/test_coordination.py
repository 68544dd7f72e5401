"""Coordinated or organic: who posts the same inside a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sentiment.coordination import SharedPost, Verdict, find_coordination

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _post(author: int, second: float, *things: str, is_repost: bool = False) -> SharedPost:
    return SharedPost(author, START + timedelta(seconds=second), things, is_repost=is_repost)


def _talk(posts: int) -> list[SharedPost]:
    """Let everybody say something of their own, far apart."""
    return [_post(1000 + number, 40 * number, f"own words {number}") for number in range(posts)]


def test_everybody_reposting_one_famous_post_is_no_plot() -> None:
    reposts = [_post(number, number / 2, "famous", is_repost=True) for number in range(100)]

    found = find_coordination([*reposts, *_talk(30)])

    assert found.verdict is Verdict.ORGANIC
    assert found.accounts == ()


def test_one_text_as_their_own_by_many_within_a_minute_is_coordinated() -> None:
    copies = [_post(number, 5 * number, "template") for number in range(10)]

    found = find_coordination([*copies, *_talk(10)])

    assert found.verdict is Verdict.COORDINATED
    assert found.share == 0.5
    assert {author for author, _ in found.accounts} == set(range(10))
    assert found.quickest_s is not None
    assert found.quickest_s <= 30


def test_the_same_text_over_a_day_is_organic() -> None:
    copies = [_post(number, 3600 * number, "template") for number in range(24)]

    assert find_coordination(copies).verdict is Verdict.ORGANIC


def test_a_pair_that_shares_two_links_together_is_seen() -> None:
    pair = [_post(1, 0, "link a"), _post(2, 9, "link a"), _post(2, 500, "link b")]
    others = [_post(1, 530, "link b"), _post(3, 501, "link b")]

    found = find_coordination([*pair, *others, *_talk(20)])

    assert [(edge.one, edge.other, edge.things) for edge in found.edges] == [(1, 2, 2)]
    assert found.verdict is Verdict.PARTLY


def test_ones_own_repeats_connect_nobody() -> None:
    posts = [_post(7, number, "again", f"link {number % 3}") for number in range(40)]

    assert find_coordination(posts).edges == ()


def test_few_posts_say_nothing() -> None:
    assert find_coordination([]).verdict is Verdict.TOO_FEW
    copies = [_post(number, number, "template") for number in range(8)]
    assert find_coordination(copies).verdict is Verdict.TOO_FEW


def test_a_text_copied_ten_thousand_times_is_done_in_time() -> None:
    copies = [_post(number, number / 200, "template") for number in range(10_000)]

    found = find_coordination(copies)

    assert len(found.accounts) == 10_000
    assert len(found.edges) <= 25 * 10_000
