"""What the board needs beside the scene: a competitor with a day of volumes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from crm_link.board.hours import sum_hours
from crm_link.types import Priority
from listener.models import Brand
from sentiment.models import Volume
from sentiment.rollups import bucket_of
from sentiment.signals.service import due_ids, signal_mentions
from tests.api.build import judged, make_signals
from tests.api.scene import Scene
from tests.make import make_author, make_brand, make_mention


def add_competitor(session: Session, scene: Scene, now: datetime) -> Brand:
    """Write a competitor of the scene's brand, with three mentions in the roll-up each hour."""
    rival = make_brand(
        session, key="acme:beanery", name="Beanery", competitor_of_id=scene.brand, query="beanery"
    )
    make_mention(session, rival, text="their beans are fine", published_at=now - timedelta(hours=1))
    for hour in range(48):
        session.add(
            Volume(
                brand_id=rival.id,
                grain_s=3600,
                bucket_at=bucket_of(now - timedelta(hours=hour), 3600),
                platform="x",
                label="positive",
                mentions=3,
            )
        )
    session.flush()
    return rival


def add_crowd(sessions: sessionmaker[Session], scene: Scene, now: datetime) -> None:
    """Write a dozen people of one country and one of another, two of them with reach."""
    with sessions.begin() as session:
        brand = session.get_one(Brand, scene.brand)
        for number in range(13):
            author = make_author(
                session,
                name=f"Person {number}",
                location="Lyon, France" if number else "Oslo",
                followers=100 if number > 1 else 50_000,
            )
            make_mention(
                session,
                brand,
                author_id=author.id,
                text=f"Glass in my Acme cup, said {number}",
                published_at=now - timedelta(minutes=40),
                **judged("negative", Priority.RISK),
            )
        make_signals(session, now)
    with sessions() as session:
        ids = due_ids(session, 100)
    signal_mentions(sessions, ids)
    sum_hours(sessions, settles_s=0)
