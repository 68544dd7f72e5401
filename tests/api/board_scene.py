"""What the board needs beside the scene: a competitor with a day of volumes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from listener.models import Brand
from sentiment.models import Volume
from sentiment.rollups import bucket_of
from tests.api.scene import Scene
from tests.make import make_brand, make_mention


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
