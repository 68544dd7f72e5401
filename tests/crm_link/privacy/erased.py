"""A person who stands everywhere, and their erasure."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.crm import Crm
from crm_link.crms.csv_file import CsvFileCrm
from crm_link.escalation.models import Incident, IncidentEvent, IncidentWhy, ProtocolVersion
from crm_link.flags.models import FlagEvent
from crm_link.models import (
    Contact,
    CrmCase,
    DeliveryStatus,
    Flag,
    FlagStatus,
    WriteBack,
)
from crm_link.outbox.addresses import make_address
from crm_link.privacy.erasure import run_erasure
from crm_link.privacy.models import ErasureRequest
from crm_link.privacy.requests import request_erasure
from crm_link.refusals import record_consent
from crm_link.service import link_mentions
from crm_link.types import Priority, RecordKind
from crm_link.writeback import deliver_write_backs
from listener.cleaning import pack_raw
from listener.collection_models import QuarantinedItem, RawPost
from listener.models import Mention, MentionVersion
from sentiment.models import Volume
from sentiment.signals.models import StoredTopic
from tests.crm_link.make_linking import CONTEXT, add_mention, make_record, sync
from tests.make import NOW

HANDLE, NAME, EMAIL = "Jane_Tavares7", "Jane Tavares", "jane.tavares@example.com"
CJK = "王小明明"
WORDS = (HANDLE, NAME, EMAIL, "janetavares", CJK, "900011112222")


def erase(sessions: sessionmaker[Session], crm: Crm | None = None, **whom: Any) -> ErasureRequest:
    with sessions.begin() as session:
        request = request_erasure(
            session, **whom, reason="letter 12", by="dpo@acme.example", context=CONTEXT
        )
    return run_erasure(
        sessions,
        request.id,
        clock=lambda: NOW,
        context=CONTEXT,
        crms=lambda _: crm or CsvFileCrm(),
    )


def make_scene(sessions: sessionmaker[Session]) -> tuple[int, int, int]:
    """Store a person who stands everywhere; return their author, contact and another's author."""
    sync(
        sessions,
        make_record(
            "c1",
            name=NAME,
            family_name="Tavares",
            emails=(EMAIL,),
            handles=(("mastodon", HANDLE),),
            fields={"note": f"knows {NAME}"},
        ),
        make_record("c2", name="Ada Lindqvist", emails=("ada@example.com",)),
    )
    profile = {
        "external_id": "900011112222",
        "handle": HANDLE,
        "name": NAME,
        "bio": f"write to {EMAIL}",
        "links": [f"https://social.example/@{HANDLE}"],
    }
    own, author_id = add_mention(
        sessions, profile, external_id="p1", text=f"I am {NAME}, {EMAIL}, and Acme is bad"
    )
    other, other_id = add_mention(
        sessions,
        {"handle": "ada", "name": "Ada Lindqvist", "bio": "ada@example.com"},
        external_id="p2",
        text=f"@{HANDLE} told me that {NAME.upper()} wrote to {EMAIL.upper()}. A rose is a rose.",
        reply_to_id="p1",
        conversation_id="p1",
        url=f"https://social.example/@{HANDLE}/p1",
    )
    add_mention(sessions, other_id, external_id="p3", text="RT I am Jane", repost_of_id="p1")
    link_mentions(sessions, [own, other], clock=lambda: NOW, context=CONTEXT)
    deliver_write_backs(sessions, CsvFileCrm(), clock=lambda: NOW)
    with sessions.begin() as session:
        contact_id = session.scalars(select(Contact.id).where(Contact.external_id == "c1")).one()
        record_consent(session, contact_id, "x", note=f"of {NAME}", by="a@b.c", context=CONTEXT)
        add_traces(session, own)
    return author_id, contact_id, other_id


def add_traces(session: Session, mention_id: int) -> None:
    mention = session.get_one(Mention, mention_id)
    brand_id = mention.brand_id
    raw = {"user": {"screen_name": HANDLE, "name": NAME}}
    for name, payload in (("p1", raw), ("p2", {"in_reply_to": HANDLE}), ("p9", {"text": "hi"})):
        session.add(
            RawPost(
                platform="mastodon", external_id=name, fetched_at=NOW, payload=pack_raw(payload)
            )
        )
    session.add(
        QuarantinedItem(
            fingerprint="f1", error=f"bad post of {HANDLE}", payload=EMAIL.encode(), found_at=NOW
        )
    )
    session.add(
        MentionVersion(
            mention_id=mention_id, number=1, external_id="p1", text=f"by {NAME}", until_at=NOW
        )
    )
    session.add(
        Flag(
            mention_id=mention_id,
            brand_id=brand_id,
            priority=Priority.SERVICE,
            urgency=3,
            rank=6,
            due_at=NOW,
            published_at=NOW,
            reason="asks for help",
            status=FlagStatus.OPEN,
            created_at=NOW,
            note=f"call {NAME}",
        )
    )
    session.add(
        FlagEvent(
            mention_id=mention_id,
            batch="b",
            at=NOW,
            actor="a@b.c",
            action="note",
            before={},
            after={"note": NAME},
            version=1,
        )
    )
    add_case(session, mention)
    session.add(
        StoredTopic(
            brand_id=brand_id,
            id="t1",
            words={"janetavares7": 3.0, "tavares": 2.0, "rose": 1.0},
            first_seen_at=NOW,
            last_seen_at=NOW,
        )
    )
    session.add(
        Volume(
            brand_id=brand_id,
            grain_s=3600,
            bucket_at=NOW,
            platform="mastodon",
            label="negative",
            mentions=3,
            score_sum=-1.5,
        )
    )
    version = ProtocolVersion(brand_id=brand_id, digest="d", content="{}", created_at=NOW)
    session.add(version)
    session.flush()
    incident = Incident(
        brand_id=brand_id,
        protocol_version_id=version.id,
        topic="general",
        open_key="1:general",
        title=f"{NAME} complains",
        status="open",
        severity="sev3",
        opened_at=NOW,
        last_seen_at=NOW,
        facts={"said": f"@{HANDLE}: bad", "who": CJK},
        peak={},
    )
    session.add(incident)
    session.flush()
    session.add(
        IncidentEvent(
            incident_id=incident.id,
            at=NOW,
            actor="a@b.c",
            kind="note",
            detail={"text": f"I called {NAME} ({EMAIL})", "list": [HANDLE]},
        )
    )
    session.add(
        IncidentWhy(
            incident_id=incident.id,
            made_at=NOW,
            content={"topics": [{"words": ["tavares", "rose"]}], "who": [HANDLE]},
        )
    )


def add_case(session: Session, mention: Mention) -> None:
    contact_id = session.scalars(select(Contact.id).where(Contact.external_id == "c1")).one()
    case = CrmCase(
        kind=RecordKind.CASE,
        key="mastodon:p1",
        crm="csv_file",
        contact_id=contact_id,
        author_id=mention.author_id,
        mention_id=mention.id,
        is_open=True,
        opened_at=NOW,
    )
    session.add(case)
    session.add(
        WriteBack(
            crm="csv_file",
            external_id=make_address(case.kind, case.key),
            contact_id=contact_id,
            fields={"text": f"{NAME} complains"},
            status=DeliveryStatus.PENDING,
            next_attempt_at=NOW,
            created_at=NOW,
        )
    )
