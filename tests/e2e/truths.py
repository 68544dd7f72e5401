"""What must hold in a database after whatever happened: nothing lost, doubled or miscounted."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_link.escalation.models import Incident, Notification
from crm_link.models import DeliveryStatus, Flag
from listener.models import Mention
from sentiment.models import GRAINS_S, Volume


def ids_of(session: Session, platform: str) -> list[str]:
    """Return the platform's ids of its mentions, sorted."""
    found = session.scalars(select(Mention.external_id).where(Mention.platform == platform))
    return sorted(found)


def assert_nothing_doubled(session: Session) -> None:
    doubled = session.execute(
        select(Mention.brand_id, Mention.platform, Mention.external_id)
        .group_by(Mention.brand_id, Mention.platform, Mention.external_id)
        .having(func.count() > 1)
    ).all()
    assert doubled == []
    flagged = Counter(session.scalars(select(Flag.mention_id)))
    assert not [one for one, count in flagged.items() if count > 1]


def assert_all_done(session: Session) -> None:
    waiting = session.execute(
        select(Mention.pending, func.count())
        .where(Mention.pending.is_not(None))
        .group_by(Mention.pending)
    ).all()
    assert waiting == []


def assert_rollups_are_exact(session: Session) -> None:
    """Compare the roll-ups with the mentions themselves, cell by cell."""
    mentions: Counter[tuple[object, ...]] = Counter()
    sums: dict[tuple[object, ...], float] = defaultdict(float)
    for row in session.execute(
        select(
            Mention.brand_id, Mention.platform, Mention.label, Mention.score, Mention.published_at
        ).where(Mention.label.is_not(None))
    ):
        for grain_s in GRAINS_S:
            seconds = int(row.published_at.timestamp())
            bucket = datetime.fromtimestamp(seconds - seconds % grain_s, UTC)
            cell = (row.brand_id, grain_s, bucket, row.platform, row.label)
            mentions[cell] += 1
            sums[cell] += row.score or 0.0
    stored: dict[tuple[object, ...], tuple[int, float]] = {
        (row.brand_id, row.grain_s, row.bucket_at, row.platform, row.label): (
            row.mentions,
            row.score_sum,
        )
        for row in session.scalars(select(Volume))
        if row.mentions
    }
    assert {place: count for place, (count, _) in stored.items()} == dict(mentions)
    for place, (_, total) in stored.items():
        assert abs(total - sums[place]) < 1e-6


def first_alerts(session: Session) -> dict[int, list[str]]:
    """Return the idempotency keys of each incident's first alerts that were sent."""
    found: dict[int, list[str]] = {one: [] for one in session.scalars(select(Incident.id))}
    for row in session.execute(
        select(Notification.incident_id, Notification.idempotency_key).where(
            Notification.channel == "webhook",
            Notification.reason == "step",
            Notification.status == DeliveryStatus.SENT,
        )
    ):
        found[row.incident_id].append(row.idempotency_key)
    return found
