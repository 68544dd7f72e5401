"""The pages of the console that list or sum, and the API's same lists."""

from __future__ import annotations

import re
from datetime import timedelta

from fastapi.testclient import TestClient
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.db import read_session
from config.settings import Settings
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.share_models import IncidentShare
from crm_link.escalation.shares import LIVES_H, create_share
from crm_link.flag_models import QueueView
from crm_link.models import Flag, FlagStatus, IdentityLink
from crm_link.types import LinkState
from listener.models import Mention

#: How the names of those pages begin that a bound is promised for.
PROMISED = ("queue", "war room", "board")

_QUEUE = {
    "queue": "",
    "queue, brand": "brand=acme",
    "queue, small brand": "brand=cedar",
    "queue, platform": "platform=bluesky",
    "queue, priority": "priority=cancel",
    "queue, sentiment": "label=positive",
    "queue, common language": "lang=en",
    "queue, rare language": "lang=fi",
    "queue, no such language": "lang=xx",
    "queue, mine": "assignee=person3%40example.org",
    "queue, nobody's": "assignee=nobody",
    "queue, tier": "tier=gold",
    "queue, no contact": "tier=nobody",
    "queue, late": "state=late",
    "queue, snoozed": "state=snoozed",
    "queue, common word": "text=acme",
    "queue, rare word": "text=zebra",
    "queue, word of few flags": "text=harbour",
    "queue, no such word": "text=nosuchword",
    "queue, combined": "brand=acme&platform=rss&priority=service&label=negative&lang=pt",
    "queue, combined, tier": "brand=birch&tier=silver&label=positive&lang=ja",
    "queue, combined, word": "text=harbour&lang=es&platform=x&label=negative",
}  # fmt: skip

_BOARD = {
    "board 24h": "/board?brand=acme",
    "board 7d": "/board?brand=acme&period=7d",
    "board 30d": "/board?brand=acme&period=30d",
    "board 30d, all brands": "/board?period=30d",
    "board topics 30d": "/board/topics?brand=acme&period=30d",
    "board signals 30d": "/board/signals?brand=acme&period=30d",
    "board reach 30d": "/board/reach?brand=acme&period=30d",
}

_OTHERS = {
    "mentions": "/mentions",
    "mentions, combined": "/mentions?brand=acme&platform=rss&label=negative&lang=pt",
    "mentions, rare language": "/mentions?lang=fi",
    "mentions, none": "/mentions?lang=xx",
    "mentions, common word": "/mentions?text=acme",
    "mentions, rare word": "/mentions?text=zebra",
    "mentions, emotion": "/mentions?emotion=anger",
    "mentions, spam": "/mentions?spam=likely",
    "mentions, topic": "/mentions?topic=glass",
    "people": "/people",
    "people, tier": "/people?tier=gold",
    "people, words": "/people?text=person+12",
    "people, detractors": "/people?segment=detractor",
    "people, not linked": "/people?linked=no",
    "links": "/links",
    "links, decided": "/links/decided",
    "segments 30d": "/people/segments?brand=acme",
    "segments 90d": "/people/segments?brand=acme&days=90",
    "incidents": "/incidents",
    "listening": "/listening",
    "listening, brand": "/listening/acme",
    "sources": "/sources",
    "reports": "/reports",
    "weekly report": "/reports/weekly?brand=acme",
    "response times": "/reports/responses?brand=acme",
    "protocol": "/protocol",
    "on call": "/on-call",
    "silences": "/silences",
    "drills": "/drills",
    "system": "/admin/system",
    "audit log": "/admin/audit",
    "privacy": "/admin/privacy",
    "CRMs": "/admin/crm",
    "account": "/account",
    "API queue": "/api/v1/queue",
    "API queue, combined": "/api/v1/queue?lang=fi&platform=x",
    "API mentions": "/api/v1/mentions",
    "API incidents": "/api/v1/incidents",
    "API board 30d": "/api/v1/board?brand=acme&period=30d",
    "API trends": "/api/v1/trends?brand=acme",
    "API people": "/api/v1/people",
    "API contacts": "/api/v1/contacts",
    "API suggestions": "/api/v1/links/suggestions",
    "API cases": "/api/v1/links/cases",
    "API figures": "/api/v1/figures?brand=acme",
    "API figures, people": "/api/v1/figures/people?brand=acme",
    "API figures, audience": "/api/v1/figures/audience?brand=acme",
    "API signals": "/api/v1/signals?brand=acme",
    "API topics": "/api/v1/topics?brand=acme",
    "API languages": "/api/v1/languages?brand=acme",
    "API sources": "/api/v1/sources",
    "API coverage": "/api/v1/sources/coverage",
    "API response times": "/api/v1/response-times?brand=acme",
    "API readiness": "/api/v1/readiness",
}


def pages_of(
    sessions: sessionmaker[Session], settings: Settings, client: TestClient
) -> dict[str, str]:
    """Return the addresses of the pages by name, in the order in which they are measured."""
    now = utc_now()
    with sessions.begin() as session:
        attack = session.scalars(
            select(Incident.id).where(Incident.status != IncidentStatus.RESOLVED)
        ).first()
        assert attack is not None
        session.execute(delete(IncidentShare).where(IncidentShare.name == "benchmark"))
        key = settings.secret_key.get_secret_value()
        token = create_share(
            session, attack, name="benchmark", hours=LIVES_H[0], by="benchmark", key=key, now=now
        )[1]
    with read_session(sessions) as session:
        view = session.scalars(select(QueueView)).first()
        flag = session.scalars(
            select(Flag.mention_id).where(Flag.status == FlagStatus.OPEN).limit(1)
        ).one()
        known = session.execute(
            select(Mention.id, IdentityLink.contact_id)
            .join(IdentityLink, IdentityLink.author_id == Mention.author_id)
            .where(IdentityLink.state == LinkState.CONFIRMED)
            .limit(1)
        ).one()
        paper = session.scalars(select(Mention.id).where(Mention.author_id == 1).limit(1)).one()
        thread = session.scalars(
            select(Mention.id).where(Mention.conversation_id == "big").limit(1)
        ).one()
        past = session.scalar(
            select(func.max(Incident.id)).where(Incident.status == IncidentStatus.RESOLVED)
        )
    found = {name: f"/queue?{query}" for name, query in _QUEUE.items()}
    found["queue"] = "/queue?brand="
    if view is not None:
        found["queue, saved view"] = (
            f"/queue?{'&'.join(f'{k}={v}' for k, v in view.filters.items())}"
        )
    found |= _following(client, "queue", "/queue?brand=")
    found |= _following(client, "queue, rare language", "/queue?lang=fi")
    since = (now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found |= {
        "queue, fresh": f"/queue/fresh?since={since}",
        "queue, one card": f"/queue/{flag}/card",
        "queue, reply": f"/queue/{flag}/reply",
        "war room": f"/incidents/{attack}",
        "war room, past": f"/incidents/{past}",
        "war room, shared": f"/s/{token}",
    }
    found |= _BOARD
    found |= {
        "mention": f"/mentions/{flag}",
        "mention, known contact": f"/mentions/{known.id}",
        "mention, paper": f"/mentions/{paper}",
        "mention, big thread": f"/mentions/{thread}",
        "person": f"/people/{known.contact_id}",
        "incident, why": f"/incidents/{attack}/why",
        "incident, report": f"/incidents/{attack}/report",
        "API incident": f"/api/v1/incidents/{attack}",
        "API mention": f"/api/v1/mentions/{flag}",
        "API person": f"/api/v1/people/{known.contact_id}",
    }
    return found | _following(client, "mentions", "/mentions") | _OTHERS


def _following(client: TestClient, name: str, path: str) -> dict[str, str]:
    """Return the second page of a list and one far behind, by the cursors that it gives."""
    cursor, found = "", {}
    for number in range(2, 12):
        page = client.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}").text
        following = re.search(r"cursor=([\w-]+)", page)
        if following is None:
            break
        cursor = following.group(1)
        if number in {2, 11}:
            found[f"{name}, page {number}"] = f"{path}{'&' if '?' in path else '?'}cursor={cursor}"
    return found
