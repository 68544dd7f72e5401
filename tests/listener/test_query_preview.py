from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from listener.collection_models import Collection
from listener.models import Brand, Source
from listener.queries.check import check_query
from listener.queries.preview import PriceSettings, cost_of, preview_query
from listener.query import parse
from tests.make import NOW, make_author, make_brand, make_mention


@pytest.fixture
def acme(session: Session) -> Brand:
    return make_brand(session, key="acme", query="acme OR corp")


def test_a_check_says_where_a_query_is_wrong_and_raises_nothing() -> None:
    found = check_query("acme OR (help")

    assert found.query is None
    assert found.position == 8
    assert found.problem.splitlines()[2].endswith("^")
    assert check_query("-acme").problem.startswith("the query selects almost every post")


def test_a_check_says_what_each_platform_is_asked() -> None:
    found = check_query("(acme OR corp) -refund*")

    x, reddit = found.asked
    assert (x.platform, x.searches, x.dropped) == ("x", ("acme OR corp",), ("-refund*",))
    assert reddit.searches == ("acme OR corp",)
    assert check_query("acme acme").warnings == ("'acme' is written 2 times: once is enough",)


def test_a_preview_says_what_is_lost_and_gained(session: Session, acme: Brand) -> None:
    other = make_brand(session, key="other", name="Other", query="tea")
    drill = make_brand(session, key="acme-drill", drill_of_id=acme.id)
    bob = make_author(session, handle="bob").id
    at = {"published_at": NOW - timedelta(hours=1)}
    make_mention(session, acme, text="acme is fine", **at)
    make_mention(session, acme, text="corp life", **at)
    make_mention(session, other, text="tea", author_id=bob, **at)
    make_mention(session, drill, text="acme in a drill", **at)
    make_mention(session, acme, text="acme long ago", published_at=NOW - timedelta(days=8))

    found = preview_query(session, acme, parse("acme OR author:bob"), NOW)

    assert (found.looked_at, found.found, found.found_now) == (3, 2, 2)
    assert (found.lost_count, [one.text for one in found.lost]) == (1, ["corp life"])
    assert [(one.text, one.brand_name) for one in found.gained] == [("tea", "Other")]


def _source(session: Session, brand: Brand, platform: str, **options: object) -> Source:
    source = Source(
        brand_id=brand.id,
        name=platform + str(len(options)),
        platform=platform,
        options=options,
        every_s=60,
        created_at=NOW,
    )
    session.add(source)
    session.flush()
    return source


def test_a_cost_is_the_measured_rate_times_what_the_preview_says(
    session: Session, acme: Brand
) -> None:
    search = _source(session, acme, "x")
    _source(session, acme, "x", kind="mentions")
    _source(session, acme, "rss")
    for day in (1, 2):
        started = NOW - timedelta(days=day)
        session.add(Collection(source_id=search.id, started_at=started, new=100))
    for text in ("acme one", "acme two", "corp three", "corp four"):
        make_mention(session, acme, text=text, published_at=NOW - timedelta(hours=1))
    query = parse("acme")
    preview = preview_query(session, acme, query, NOW)

    prices = PriceSettings(price_post=0.01, price_author=0.02)
    feed, x, mentions = cost_of(session, acme, query, NOW, preview=preview, prices=prices)

    assert (x.posts, x.expected, x.requests) == (100, 50, 1440)
    assert x.dollars == pytest.approx((0.5, 1.5))
    assert (mentions.expected, mentions.dollars, mentions.days) == (None, None, 0)
    assert feed.dollars is None
