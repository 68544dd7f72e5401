"""A made-up brand in a bad hour: something on every page of the console."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from api.models import Role, User
from crm_link.board.hours import sum_hours
from crm_link.types import LinkState, Priority
from listener.models import Brand, Gap, Mention, MentionVersion, Source, SourceState
from listener.types import GapKind, PostKind
from sentiment.models import GRAINS_S, Volume
from sentiment.rollups import bucket_of
from sentiment.signals.service import due_ids, signal_mentions
from tests.api.build import (
    judged,
    make_contact,
    make_flag,
    make_incident,
    make_link,
    make_signals,
    make_users,
)
from tests.make import make_author, make_brand, make_mention

#: Markup that a careless console would run.
XSS = (
    "acme <script>document.title = 'owned'</script>"
    "<img src=x onerror=\"document.title='owned'\"> javascript:alert(1) "
    "https://example.org/?q=\"><script>document.title='owned'</script>"
)


@dataclass(frozen=True)
class Scene:
    """Ids of what the tests name."""

    brand: int
    first: int
    xss: int
    rtl: int
    incident: int
    link: int
    users: dict[Role, int]


def make_scene(sessions: sessionmaker[Session], clock: Callable[[], datetime]) -> Scene:
    """Write the scene and return its ids."""
    now = clock()
    with sessions.begin() as session:
        users = make_users(session, now)
        brand = make_brand(
            session, key="acme", name="Acme", query='acme OR "acme coffee"', names=["Acme"]
        )
        source = _make_sources(session, brand, now)
        ines = make_author(
            session,
            handle="ines_o",
            name="Ines Okafor",
            followers=2310,
            bio="Barista, mother of two. Opinions: https://ines.example.org",
            location="Valencia",
        )
        first = _make_first(session, brand, source, ines.id, now)
        xss = make_mention(
            session,
            brand,
            text=XSS,
            author_id=make_author(session, name="<b>Mallory</b>", handle="mal<i>lory").id,
            url="javascript:alert(1)",
            published_at=now - timedelta(minutes=9),
            **judged("neutral", Priority.SERVICE),
        )
        make_flag(session, xss, Priority.SERVICE, due_at=now + timedelta(minutes=5))
        rtl = make_mention(
            session,
            brand,
            text="قهوة Acme سيئة جدا اليوم 😡 لن أعود أبدا",
            author_id=make_author(session, name="ليلى", handle="layla", platform="reddit").id,
            platform="reddit",
            published_at=now - timedelta(minutes=30),
            **judged("unknown", Priority.CANCEL, lang="ar"),
        )
        make_flag(session, rtl, Priority.CANCEL)
        _make_crowd(session, brand, now)
        contact = make_contact(session, now)
        make_link(
            session,
            ines.id,
            contact,
            state=LinkState.CONFIRMED,
            weight_bits=21.5,
            evidence=[
                {"kind": "crm_handle", "source": "profile", "value_hash": "h", "weight_bits": 21.5}
            ],
        )
        other = make_author(session, handle="jo_lind", name="Jo Lind", location="Malmo", bio="Tea")
        link = make_link(
            session,
            other.id,
            make_contact(session, now, external_id="C-1002", name="Jo Lind", handles=[], tier=None),
        )
        incident = make_incident(session, brand, now)
        make_signals(session, now)
        scene = Scene(brand.id, first.id, xss.id, rtl.id, incident.id, link.id, users)
    with sessions() as session:
        ids = due_ids(session, 1000)
    signal_mentions(sessions, ids)
    sum_hours(sessions, settles_s=0)
    return scene


def _make_sources(session: Session, brand: Brand, now: datetime) -> Source:
    source = Source(
        brand_id=brand.id,
        name="x-search",
        platform="x",
        options={},
        every_s=60.0,
        state=SourceState.OK,
        last_success_at=now - timedelta(seconds=40),
        next_due_at=now + timedelta(seconds=20),
        newest_post_at=now - timedelta(minutes=1),
        created_at=now - timedelta(days=3),
    )
    broken = Source(
        brand_id=brand.id,
        name="reddit-search",
        platform="reddit",
        options={},
        every_s=60.0,
        state=SourceState.FAILING,
        failures=4,
        last_error="reddit refused the credentials (401); check GROUNDSWELL_REDDIT_CLIENT_SECRET",
        created_at=now - timedelta(days=3),
    )
    session.add_all([source, broken])
    session.flush()
    session.add(
        Gap(
            source_id=broken.id,
            kind=GapKind.HORIZON,
            from_at=now - timedelta(hours=9),
            to_at=now - timedelta(hours=7),
            detail="the listing ended after 1,000 posts",
            found_at=now - timedelta(hours=6),
        )
    )
    return source


def _make_first(
    session: Session, brand: Brand, source: Source, author_id: int, now: datetime
) -> Mention:
    first = make_mention(
        session,
        brand,
        source_id=source.id,
        author_id=author_id,
        text="There was glass in my Acme coffee this morning. Staff shrugged. "
        "Photos: https://example.org/photos Never again.",
        url="https://example.org/posts/1",
        conversation_id="c1",
        external_id="c1",
        published_at=now - timedelta(minutes=11),
        likes=1240,
        reposts=388,
        replies=57,
        fold_count=37,
        versions=2,
        **judged("negative", Priority.RISK, topic="glass", route="crisis"),
    )
    make_flag(session, first, Priority.RISK, due_at=now + timedelta(minutes=4))
    session.add(
        MentionVersion(
            mention_id=first.id,
            number=1,
            external_id="c0",
            text="There was glass in my Acme coffee!!!",
            until_at=now - timedelta(minutes=10),
        )
    )
    make_mention(
        session,
        brand,
        author_id=make_author(session, name="Tom Berg", handle="tomberg", followers=120).id,
        text="Same here, in the Acme shop at the station",
        kind=PostKind.REPLY,
        conversation_id="c1",
        reply_to_id="c1",
        published_at=now - timedelta(minutes=6),
        **judged("negative", Priority.RISK, topic="glass"),
    )
    make_mention(
        session,
        brand,
        author_id=author_id,
        text="Best Acme flat white in town",
        published_at=now - timedelta(days=2),
        **judged("positive", Priority.OTHER),
    )
    return first


def _make_crowd(session: Session, brand: Brand, now: datetime) -> None:
    """Write forty more mentions and a day of volumes."""
    cycle = (
        ("negative", Priority.RISK, "More glass in Acme cups, this is dangerous"),
        ("negative", Priority.SERVICE, "Acme, I want a refund, and nobody answers"),
        ("positive", Priority.OTHER, "Acme oat latte is the best part of my day"),
        ("neutral", Priority.PURCHASE, "Where can I buy Acme beans near the office?"),
    )
    for number in range(40):
        label, priority, text = cycle[number % len(cycle)]
        mention = make_mention(
            session,
            brand,
            author_id=make_author(session).id,
            text=f"{text} ({number})",
            published_at=now - timedelta(minutes=12 + 3 * number),
            **judged(label, priority, topic="glass" if priority is Priority.RISK else "general"),
        )
        if priority is not Priority.OTHER:
            make_flag(session, mention, priority)
    for hour in range(48):
        at = now - timedelta(hours=hour)
        for label, size in (("negative", 40 if hour < 2 else 3), ("neutral", 9), ("positive", 7)):
            for platform, part in (("x", 2), ("reddit", 1)):
                for grain_s in GRAINS_S:
                    session.add(
                        Volume(
                            brand_id=brand.id,
                            grain_s=grain_s,
                            bucket_at=bucket_of(at, grain_s),
                            platform=platform,
                            label=label,
                            mentions=size * part,
                        )
                    )


def get_user(session: Session, scene: Scene, role: Role) -> User:
    return session.get_one(User, scene.users[role])
