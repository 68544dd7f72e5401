"""Share of voice: how much of what is said about a brand and its competitors is about each.

Read from the roll-ups. Only platforms on which all of them are listened to are compared:
what is not listened to would look like silence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listener.models import Brand, Source
from sentiment.models import GRAINS_S, Volume
from sentiment.trends import Z95, NetSentiment, TrendPoint, net_sentiment
from sentiment.types import Label


@dataclass(frozen=True, slots=True)
class Voice:
    """One brand's part in what is said.

    Args:
        key: The brand's key.
        name: What people call it.
        is_own: Whether it is the brand that is compared, not a competitor.
        mentions: Mentions in the window, on the platforms that are compared.
        share: Part of the mentions about all of them, 0 to 1; None where there are none.
        low: Lower end of its 95 % Wilson interval.
        high: Upper end.
        share_before: Part in the window of the same length before.
        is_clear: Whether it changed by more than chance explains (two-sided 95 %).
        net: Net sentiment toward it.

    """

    key: str
    name: str
    is_own: bool
    mentions: int
    share: float | None
    low: float | None
    high: float | None
    share_before: float | None
    is_clear: bool
    net: NetSentiment


@dataclass(frozen=True, slots=True)
class ShareOfVoice:
    """A brand among its competitors.

    Args:
        voices: The brand and its competitors, the most spoken of first; empty where it has none.
        platforms: The platforms that are compared; empty means all that there are.
        left_out: Platforms that only some of them are listened to on.
        unheard: Names of those that no source listens to.

    """

    voices: tuple[Voice, ...]
    platforms: tuple[str, ...]
    left_out: tuple[str, ...]
    unheard: tuple[str, ...]


def share_of_voice(
    session: Session, brand_id: int, since: datetime, until: datetime
) -> ShareOfVoice:
    """Return the shares of a brand and its active competitors in a window of whole hours."""
    brands = session.scalars(
        select(Brand)
        .where((Brand.id == brand_id) | ((Brand.competitor_of_id == brand_id) & Brand.is_active))
        .order_by(Brand.id)
    ).all()
    if len(brands) == 1:
        return ShareOfVoice((), (), (), ())
    heard = _platforms(session, [brand.id for brand in brands])
    listened = [heard[brand.id] for brand in brands if heard[brand.id]]
    common = frozenset.intersection(*listened) if len(listened) == len(brands) else frozenset()
    ids = [brand.id for brand in brands]
    now = _totals(session, ids, common, since, until)
    before = _totals(session, ids, common, since - (until - since), since)
    voices = [_voice(brand, now, before, is_own=brand.id == brand_id) for brand in brands]
    return ShareOfVoice(
        voices=tuple(sorted(voices, key=lambda one: (-one.mentions, one.name))),
        platforms=tuple(sorted(common)),
        left_out=tuple(sorted(frozenset().union(*listened) - common)) if common else (),
        unheard=tuple(brand.name for brand in brands if not heard[brand.id]),
    )


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % interval of a share. Source: E. B. Wilson, JASA 22 (1927), 209."""
    if whole == 0:
        return 0.0, 1.0
    share, z2 = part / whole, Z95**2
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z95 * math.sqrt(share * (1 - share) / whole + z2 / (4 * whole**2)) / (1 + z2 / whole)
    return max(0.0, middle - half), min(1.0, middle + half)


def differs(part: int, whole: int, part_before: int, whole_before: int) -> bool:
    """Say whether two shares differ by more than chance explains: pooled, two-sided 95 %."""
    if not whole or not whole_before:
        return False
    pooled = (part + part_before) / (whole + whole_before)
    error = math.sqrt(pooled * (1 - pooled) * (1 / whole + 1 / whole_before))
    return error > 0 and abs(part / whole - part_before / whole_before) > Z95 * error


def _voice(
    brand: Brand,
    now: Mapping[int, TrendPoint],
    before: Mapping[int, TrendPoint],
    *,
    is_own: bool,
) -> Voice:
    own, whole = now[brand.id].mentions, sum(one.mentions for one in now.values())
    old, whole_before = before[brand.id].mentions, sum(one.mentions for one in before.values())
    low, high = wilson(own, whole) if whole else (None, None)
    return Voice(
        key=brand.key,
        name=brand.name,
        is_own=is_own,
        mentions=own,
        share=own / whole if whole else None,
        low=low,
        high=high,
        share_before=old / whole_before if whole_before else None,
        is_clear=differs(own, whole, old, whole_before),
        net=net_sentiment([now[brand.id]]),
    )


def _platforms(session: Session, brand_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """Return on which platforms each brand is listened to."""
    found: dict[int, set[str]] = {brand_id: set() for brand_id in brand_ids}
    for brand_id, platform, options in session.execute(
        select(Source.brand_id, Source.platform, Source.options).where(
            Source.brand_id.in_(brand_ids), Source.is_active
        )
    ):
        found[brand_id].add(str(options.get("posts_from") or platform))
    return {brand_id: frozenset(platforms) for brand_id, platforms in found.items()}


def _totals(
    session: Session,
    brand_ids: Sequence[int],
    platforms: frozenset[str],
    since: datetime,
    until: datetime,
) -> dict[int, TrendPoint]:
    query = (
        select(Volume.brand_id, Volume.label, func.sum(Volume.mentions))
        .where(
            Volume.brand_id.in_(brand_ids),
            Volume.grain_s == max(GRAINS_S),
            Volume.bucket_at >= since,
            Volume.bucket_at < until,
        )
        .group_by(Volume.brand_id, Volume.label)
    )
    if platforms:
        query = query.where(Volume.platform.in_(platforms))
    counts: dict[int, dict[str, int]] = {brand_id: {} for brand_id in brand_ids}
    for brand_id, label, mentions in session.execute(query):
        counts[brand_id][label] = int(mentions)
    return {
        brand_id: TrendPoint(
            at=since,
            negative=here.get(Label.NEGATIVE, 0),
            neutral=here.get(Label.NEUTRAL, 0),
            positive=here.get(Label.POSITIVE, 0),
            unknown=here.get(Label.UNKNOWN, 0),
        )
        for brand_id, here in counts.items()
    }
