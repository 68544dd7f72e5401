"""The addresses that are timed: every page, every list and every file that can be asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi.testclient import TestClient
from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from api.paging import encode_cursor
from config.clock import utc_now
from config.db import read_session
from config.settings import Settings
from crm_link.escalation.drills.models import Drill
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.playbook.playbook_models import ProtocolSeen
from crm_link.escalation.war_room.share_models import IncidentShare
from crm_link.escalation.war_room.shares import LIVES_H, create_share
from crm_link.flags.models import QueueView
from crm_link.models import Flag, FlagStatus, IdentityLink
from crm_link.privacy.models import ErasureRequest
from crm_link.replying.models import Reply
from crm_link.reporting.files import Wanted, ask_for_file
from crm_link.reporting.models import FileKind, FileState
from crm_link.types import LinkState
from listener.models import Mention
from tests.api.least_roles import LEAST_ROLE
from tests.benchmarks import console_addresses as addresses
from tests.benchmarks import console_filters as filters

#: How the names of those pages begin that a bound is promised for.
PROMISED = ("queue", "war room", "board")


@dataclass(frozen=True, slots=True)
class Timed:
    """What is timed under one name: an address, or many of one kind, asked in turn.

    `of_team` asks as somebody who sees two of the three brands.
    """

    name: str
    paths: tuple[str, ...]
    of_team: bool = False


def pages_of(
    sessions: sessionmaker[Session], settings: Settings, client: TestClient
) -> list[Timed]:
    """Return what is timed, in its order; every address of the console and the API is in it.

    Raises:
        LookupError: An address is new, and nobody said how it is timed.

    """
    ids = _ids(sessions, settings)
    with read_session(sessions) as session:
        view = session.scalars(select(QueueView)).first()
        far = _far(session)
    plain = {name: f"/queue?{query}" for name, query in addresses.QUEUE.items()}
    plain["queue"] = "/queue?brand="
    if view is not None:
        plain["queue, saved view"] = (
            f"/queue?{'&'.join(f'{key}={value}' for key, value in view.filters.items())}"
        )
    plain |= _following(client, "queue", "/queue?brand=")
    plain |= _following(client, "queue, rare language", "/queue?lang=fi")
    since = (utc_now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    plain |= {
        "queue, far behind": f"/queue?cursor={far['queue']}",
        "queue, fresh": f"/queue/fresh?since={since}",
        "queue, one card": "/queue/{flag}/card",
        "queue, reply": "/queue/{flag}/reply",
        "war room": "/incidents/{attack}",
        "war room, whole timeline": "/incidents/{attack}?timeline=all",
        "war room, past": "/incidents/{past}",
        "war room, shared": "/s/{token}",
    }
    plain |= addresses.BOARD | _following(client, "mentions", "/mentions") | addresses.OTHERS
    plain |= {
        "mentions, far behind": f"/mentions?cursor={far['mentions']}",
        "people, far behind": f"/people?cursor={far['people']}",
        "audit log, far behind": f"/admin/audit?cursor={far['audit']}",
        "links, far behind": f"/links?cursor={far['links']}",
        "incidents, far behind": f"/incidents?cursor={far['incidents']}",
        "API contacts, far behind": f"/api/v1/contacts?cursor={far['contacts']}",
    }
    found = [Timed(name, (path.format(**ids),)) for name, path in plain.items()]
    charts = [
        f"/board/{one}.csv?{ask}"
        for one in addresses.CHARTS
        for ask in ("brand=acme", "brand=acme&period=30d")
    ]
    found += [
        Timed("board, files", tuple(charts)),
        _all("queue, one filter", "/queue", filters.one(filters.QUEUE)),
        _all("queue, two filters", "/queue", filters.two(filters.QUEUE)),
        _all("mentions, one filter", "/mentions", filters.one(filters.MENTIONS)),
        _all("mentions, two filters", "/mentions", filters.two(filters.MENTIONS, most=2)),
        _all("people, one filter", "/people", filters.one(filters.PEOPLE)),
        _all("people, two filters", "/people", filters.two(filters.PEOPLE, most=3)),
        _all("audit log, one filter", "/admin/audit", filters.one(filters.AUDIT)),
        _all("audit log, two filters", "/admin/audit", filters.two(filters.AUDIT)),
        _all("API queue, one filter", "/api/v1/queue", filters.one(filters.QUEUE)),
        _all("API mentions, one filter", "/api/v1/mentions", filters.one(filters.MENTIONS)),
        _all("API people, one filter", "/api/v1/people", filters.one(filters.PEOPLE)),
    ]
    found += [
        Timed(f"{one.name}; of a team", one.paths, of_team=True)
        for one in found
        if one.name in addresses.OF_TEAM
        or one.name in {"queue, one filter", "mentions, one filter"}
    ]
    _check_all(found)
    return found


def _all(name: str, path: str, queries: Iterable[str]) -> Timed:
    return Timed(name, tuple(f"{path}?{query}" for query in queries))


def _check_all(found: Iterable[Timed]) -> None:
    """Refuse to leave out an address that can be asked for."""
    asked = {path.partition("?")[0] for one in found for path in one.paths}
    for method, route in LEAST_ROLE:
        if method != "GET" or route in addresses.NOT_TIMED:
            continue
        form = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route)))
        if not any(form.fullmatch(path) for path in asked):
            raise LookupError(f"{route} is not timed")


def _ids(sessions: sessionmaker[Session], settings: Settings) -> dict[str, object]:
    """Return the ids that addresses name."""
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
        files = _files(session, attack, now)
    with read_session(sessions) as session:
        known = session.execute(
            select(Mention.id, IdentityLink.contact_id)
            .join(IdentityLink, IdentityLink.author_id == Mention.author_id)
            .where(IdentityLink.state == LinkState.CONFIRMED)
            .limit(1)
        ).one()

        def first(query: Select[int]) -> int | None:
            return session.scalars(query.limit(1)).first()

        return files | {
            "attack": attack,
            "token": token,
            "known": known.id,
            "contact": known.contact_id,
            "flag": first(select(Flag.mention_id).where(Flag.status == FlagStatus.OPEN)),
            "paper": first(select(Mention.id).where(Mention.author_id == 1)),
            "thread": first(select(Mention.id).where(Mention.conversation_id == "big")),
            "past": session.scalar(
                select(func.max(Incident.id)).where(Incident.status == IncidentStatus.RESOLVED)
            ),
            "link": first(select(IdentityLink.id).where(IdentityLink.state == LinkState.SUGGESTED)),
            "reply": first(select(Reply.id)),
            "erasure": first(select(ErasureRequest.id)),
            "drill": first(select(Drill.id)),
            "edit": first(select(ProtocolSeen.id).order_by(ProtocolSeen.id.desc())),
        }


def _files(session: Session, attack: int, now: datetime) -> dict[str, object]:
    """Return a report's file that waits, and one of 300 kB that is there."""
    brand_id = session.get_one(Incident, attack).brand_id
    found: dict[str, object] = {}
    for name, language in (("file", "en"), ("made", "es")):
        wanted = Wanted(FileKind.INCIDENT, brand_id, language, "UTC", incident_id=attack)
        file = ask_for_file(session, wanted, by_id=1, now=now)
        if name == "made":
            file.state, file.done_at, file.file_name = FileState.READY, now, "report.pdf"
            file.content = os.urandom(300_000)
        found[name] = file.id
    return found


def _far(session: Session) -> dict[str, str]:
    """Return cursors of places far behind in the lists."""
    flag = session.scalars(
        select(Flag)
        .where(Flag.status == FlagStatus.OPEN)
        .order_by(Flag.due_at.desc(), Flag.rank.desc(), Flag.mention_id.desc())
        .offset(100)
        .limit(1)
    ).one()
    oldest = session.scalars(
        select(Mention).order_by(Mention.published_at, Mention.id).offset(100).limit(1)
    ).one()
    return {
        "queue": encode_cursor(flag.due_at, flag.rank, flag.mention_id),
        "mentions": encode_cursor(oldest.published_at, oldest.id),
        **dict.fromkeys(("people", "audit", "links", "incidents", "contacts"), encode_cursor(100)),
    }


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
