"""Erasing a person: nothing of ours names them afterwards, and counts stay what they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError, NotFoundError, TransientError
from config.language import reading_as, told
from crm_link.flags.models import FlagEvent
from crm_link.linking.matching_models import LinkRefusal, MatchKey, NameCount
from crm_link.models import (
    Contact,
    CrmCase,
    CrmJournalEntry,
    Flag,
    IdentityLink,
    LinkEvent,
    WriteBack,
)
from crm_link.privacy.erasure import run_erasure
from crm_link.privacy.models import ErasureState
from crm_link.privacy.requests import preview_erasure, request_erasure
from crm_link.service import link_mentions
from crm_link.types import LinkState
from listener.collection_models import QuarantinedItem, RawPost
from listener.exports import export_mentions
from listener.models import Author, Mention, MentionVersion
from listener.store import store_posts
from sentiment.models import Volume
from sentiment.signals.models import StoredTopic
from tests.crm_link.make_linking import CONTEXT, FakeCrm, add_mention, make_record, sync
from tests.crm_link.privacy.erased import (
    CJK,
    EMAIL,
    HANDLE,
    NAME,
    WORDS,
    erase,
    make_scene,
)
from tests.crm_link.privacy.grep import grep_database, grep_files
from tests.make import NOW, make_brand, make_post, make_profile


def test_nothing_names_an_erased_person_any_more(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    author_id, contact_id, other_id = make_scene(sessions)
    with sessions.begin() as session:  # known here by another name than to the CRM
        session.get_one(Author, author_id).name = CJK
    assert len(grep_database(sessions, *WORDS)) > 15
    assert grep_files(tmp_path, HANDLE)
    with sessions() as session:
        before = session.execute(select(Volume.mentions, Volume.score_sum)).all()

    request = erase(sessions, author=f"mastodon:{HANDLE}", whole_person=True)

    assert (request.state, request.plan) == (ErasureState.DONE, {}), request.last_error
    assert grep_database(sessions, *WORDS) == []
    export_mentions(sessions, tmp_path / "export.jsonl")
    assert grep_files(tmp_path, *WORDS) == []
    with sessions() as session:
        assert session.execute(select(Volume.mentions, Volume.score_sum)).all() == before
        counted = session.scalar(select(func.count()).select_from(Mention))
        assert counted == 3
        other = session.scalars(select(Mention).where(Mention.author_id == other_id)).one()
        assert other.text == ("[erased] told me that [erased] wrote to [erased]. A rose is a rose.")
        mention_id = session.scalars(select(Mention.id).order_by(Mention.id)).first()
        assert (other.reply_to_id, other.conversation_id) == (f"erased:{mention_id}",) * 2
        assert session.scalars(select(RawPost.external_id)).all() == ["p9"]
        for model in (Flag, FlagEvent, CrmCase, MentionVersion, QuarantinedItem):
            assert session.scalars(select(model)).all() == []
        kept = session.scalars(select(Contact).where(Contact.deleted_at.is_(None))).one()
        assert kept.name == "Ada Lindqvist"
        assert session.scalars(select(IdentityLink.author_id)).all() == [other_id]
        assert session.scalars(select(WriteBack.external_id)).all() == ["c2"]
        assert session.scalars(select(CrmJournalEntry.external_id).distinct()).all() == ["c2"]
        assert set(session.scalars(select(MatchKey.contact_id))) == {kept.id}
        assert session.scalars(select(NameCount).where(NameCount.value == "tavares")).all() == []
        assert session.scalars(select(StoredTopic.words)).one() == {"rose": 1.0}
    assert contact_id != kept.id
    systems = {(one["system"], one["state"]) for one in request.receipts}
    assert ("CRM csv_file", "yours") in systems  # the case
    assert {("database", "erased"), ("CRM csv_file", "cleared"), ("files", "erased")} <= systems
    assert "database nothing left" in {
        f"{one['system']} {one['state']}" for one in request.receipts
    }


def test_an_erased_author_is_not_stored_again(sessions: sessionmaker[Session]) -> None:
    make_scene(sessions)
    erase(sessions, author="mastodon:900011112222", whole_person=True)
    jane = make_profile(external_id="900011112222", handle=HANDLE, name=NAME)
    posts = [
        make_post(author=jane, external_id="p4"),
        make_post(author=None, external_id="p1", text=f"by {NAME}"),
        make_post(external_id="p5", repost_of_id="p1", text=f"RT {NAME}"),
        make_post(external_id="p6"),
    ]

    with sessions.begin() as session:
        brand_id = session.scalars(select(Mention.brand_id)).first()
        assert brand_id is not None
        counts = store_posts(
            session, brand_id=brand_id, platform="mastodon", posts=posts, source_id=None, now=NOW
        )
        elsewhere = store_posts(
            session, brand_id=brand_id, platform="x", posts=posts[:1], source_id=None, now=NOW
        )

    assert (counts.seen, counts.new) == (4, 1)
    assert elsewhere.new == 1  # the same id on another platform is somebody else
    sync(sessions, make_record("c1", name=NAME, emails=(EMAIL,)))
    with sessions() as session:
        assert session.scalar(select(Contact.id).where(Contact.name == NAME)) is None


def test_an_author_alone_leaves_the_record_and_clears_the_fields(
    sessions: sessionmaker[Session],
) -> None:
    author_id, contact_id, _ = make_scene(sessions)
    crm = FakeCrm()

    request = erase(sessions, crm, author=f"mastodon:@{HANDLE}")

    assert request.state is ErasureState.DONE, request.last_error
    assert crm.written["c1"]["groundswell_handles"] is None
    with sessions() as session:
        contact = session.get_one(Contact, contact_id)
        assert (contact.name, contact.deleted_at) == (NAME, None)
        assert session.get_one(Author, author_id).handle is None
        entries = session.scalars(
            select(CrmJournalEntry).where(CrmJournalEntry.external_id == "c1")
        ).all()
        assert entries
        assert HANDLE not in json.dumps([[one.before, one.after] for one in entries])


def test_a_contact_alone_leaves_the_author_unlinked_for_good(
    sessions: sessionmaker[Session],
) -> None:
    author_id, contact_id, _ = make_scene(sessions)

    erase(sessions, contact="csv_file:c1")
    again, _ = add_mention(sessions, author_id, text=f"still {EMAIL}")
    link_mentions(sessions, [again], clock=lambda: NOW, context=CONTEXT)

    with sessions() as session:
        assert (
            session.scalars(select(IdentityLink).where(IdentityLink.contact_id == contact_id)).all()
            == []
        )
        assert session.scalars(select(LinkEvent.id)).all() != []  # Ada's


class AwayCrm(FakeCrm):
    """Does not answer until it is told to."""

    is_away = True

    def write(self, updates: Sequence[Any]) -> list[Any]:
        if self.is_away:
            raise TransientError("503")
        return super().write(updates)


def test_an_erasure_waits_for_a_crm_and_goes_on(sessions: sessionmaker[Session]) -> None:
    make_scene(sessions)
    crm = AwayCrm()

    request = erase(sessions, crm, author=f"mastodon:{HANDLE}", whole_person=True)

    assert request.state is ErasureState.CRMS
    assert request.last_error == "csv_file has not taken 1 record yet"
    with reading_as("es"):
        assert told(request.last_error) == "csv_file todavía no ha aceptado 1 ficha"
    with sessions() as session:  # everything else is gone by then
        assert session.scalars(select(Mention.text).where(Mention.text.contains(NAME))).all() == []
    crm.is_away = False
    for _ in range(2):  # a done one stays as it is
        request = run_erasure(
            sessions, request.id, clock=lambda: NOW, context=CONTEXT, crms=lambda _: crm
        )
        assert (request.state, request.last_error) == (ErasureState.DONE, None)
    assert grep_database(sessions, HANDLE, NAME, EMAIL) == []
    with sessions.begin() as session:  # asking again finds the receipts
        earlier = request_erasure(
            session, author=f"mastodon:{HANDLE}", reason="again", by="me", context=CONTEXT
        )
        assert earlier.id == request.id


def test_a_dry_run_counts_and_changes_nothing(sessions: sessionmaker[Session]) -> None:
    author_id, contact_id, _ = make_scene(sessions)

    with sessions() as session:
        subject, counts = preview_erasure(session, contact="csv_file:c1", whole_person=True)

    assert (subject.author_ids, subject.contact_ids) == ((author_id,), (contact_id,))
    assert subject.label == f"contact {contact_id}, whole person"
    assert counts["mention"] == counts["author"] == counts["contact"] == counts["flag"] == 1
    with sessions() as session:
        assert session.scalars(select(LinkRefusal)).all() == []
        states = session.scalars(select(IdentityLink.state)).all()
        assert LinkState.CONFIRMED in states


def test_a_brand_is_no_person_and_nobody_is_not_found(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        make_brand(session, names=["@AcmeCare"])
    add_mention(sessions, {"handle": "acmecare"})
    with sessions() as session:
        with pytest.raises(InputError, match="name of a brand"):
            preview_erasure(session, author="mastodon:acmecare")
        with pytest.raises(NotFoundError, match="there is no contact"):
            preview_erasure(session, contact="csv_file:c9")
        with pytest.raises(InputError, match="PLATFORM:ID"):
            preview_erasure(session, author="acmecare")
