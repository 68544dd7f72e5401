from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from listener.models import Brand, Source
from sentiment.models import Volume
from sentiment.share_of_voice import differs, share_of_voice, wilson
from tests.make import NOW, make_brand


def _volume(session: Session, brand: Brand, mentions: int, **changes: object) -> None:
    values: dict[str, object] = {
        "brand_id": brand.id,
        "grain_s": 3600,
        "bucket_at": NOW - timedelta(hours=2),
        "platform": "x",
        "label": "neutral",
        "mentions": mentions,
    }
    session.add(Volume(**(values | changes)))
    session.flush()


def _source(session: Session, brand: Brand, platform: str, **options: object) -> None:
    session.add(
        Source(
            brand_id=brand.id,
            name=platform,
            platform=platform,
            options=options,
            every_s=60,
            created_at=NOW,
        )
    )
    session.flush()


@pytest.fixture
def acme(session: Session) -> Brand:
    return make_brand(session, key="acme")


@pytest.fixture
def rival(session: Session, acme: Brand) -> Brand:
    return make_brand(session, key="acme:rival", name="Rival", competitor_of_id=acme.id)


def test_a_brand_without_competitors_has_no_share(session: Session, acme: Brand) -> None:
    _volume(session, acme, 10)

    assert share_of_voice(session, acme.id, NOW - timedelta(days=1), NOW).voices == ()


def test_shares_are_of_what_is_said_about_all(session: Session, acme: Brand, rival: Brand) -> None:
    stranger = make_brand(session, key="stranger")
    for brand, mentions in ((acme, 30), (rival, 90), (stranger, 500)):
        _volume(session, brand, mentions)
    _volume(session, acme, 60, bucket_at=NOW - timedelta(hours=30))
    _volume(session, rival, 60, bucket_at=NOW - timedelta(hours=30))

    first, own = share_of_voice(session, acme.id, NOW - timedelta(days=1), NOW).voices

    assert (first.name, first.share, first.is_own) == ("Rival", 0.75, False)
    assert (own.key, own.mentions, own.share, own.share_before) == ("acme", 30, 0.25, 0.5)
    assert own.is_clear
    assert own.low is not None
    assert own.high is not None
    assert own.low < 0.25 < own.high


def test_only_platforms_that_all_are_listened_to_on_are_compared(
    session: Session, acme: Brand, rival: Brand
) -> None:
    _source(session, acme, "x")
    _source(session, acme, "reddit")
    _source(session, rival, "file", posts_from="x")
    _volume(session, acme, 10)
    _volume(session, acme, 1000, platform="reddit")
    _volume(session, rival, 10)

    found = share_of_voice(session, acme.id, NOW - timedelta(days=1), NOW)

    assert [voice.share for voice in found.voices] == [0.5, 0.5]
    assert (found.platforms, found.left_out, found.unheard) == (("x",), ("reddit",), ())


def test_a_competitor_that_nobody_listens_to_is_named(
    session: Session, acme: Brand, rival: Brand
) -> None:
    assert rival.id
    _source(session, acme, "x")
    _volume(session, acme, 10)

    assert share_of_voice(session, acme.id, NOW - timedelta(days=1), NOW).unheard == ("Rival",)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"), [(0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763), (0, 0, 0, 1)]
)
def test_wilson_is_that_of_the_textbook(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=0.001)


def test_a_difference_is_clear_from_enough_mentions_only() -> None:
    assert differs(60, 100, 40, 100)
    assert not differs(6, 10, 4, 10)
    assert not differs(6, 10, 0, 0)
