"""The life of a link: consent, opt-out, deletions, and what public evidence may confirm."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError, NotFoundError
from crm_link.linking.matching_models import LinkRefusal
from crm_link.models import AuthorKey, Contact, Flag, FlagStatus, IdentityLink, LinkEvent
from crm_link.opt_outs import find_opt_out, opt_in, opt_out, opt_out_author
from crm_link.refusals import list_consents, record_consent, revoke_consent
from crm_link.service import link_mentions, relink_due
from crm_link.types import LinkState, Priority
from crm_link.writeback import deliver_write_backs
from listener.gaps import mark_deleted
from listener.gone_accounts import mark_accounts_gone, mark_posts_gone
from listener.models import Author, Mention
from listener.store import store_posts
from listener.types import DeletedPost, DeletionReason
from tests.crm_link.make_linking import CONTEXT, FakeCrm, add_mention, make_record, sync
from tests.make import NOW, make_post, make_profile

CONFIRMED, WITHDRAWN = LinkState.CONFIRMED, LinkState.WITHDRAWN


def link(sessions: sessionmaker[Session], *mention_ids: int) -> int:
    return link_mentions(sessions, mention_ids, clock=lambda: NOW, context=CONTEXT)


def links(sessions: sessionmaker[Session]) -> list[tuple[int, LinkState]]:
    with sessions() as session:
        return [
            (row.author_id, row.state)
            for row in session.scalars(select(IdentityLink).order_by(IdentityLink.id))
        ]


def make_flag(mention: Mention) -> Flag:
    return Flag(
        mention_id=mention.id,
        brand_id=mention.brand_id,
        priority=Priority.SERVICE,
        urgency=3,
        rank=6,
        published_at=mention.published_at,
        reason="asks for help",
        status=FlagStatus.OPEN,
        created_at=NOW,
        due_at=NOW,
    )


def test_a_deleted_mention_loses_its_flag_and_its_evidence_at_the_next_look(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(emails=("jane@example.com",)))
    mention_id, author_id = add_mention(sessions, {}, text="my address is jane@example.com")
    link(sessions, mention_id)
    with sessions.begin() as session:
        mention = session.get_one(Mention, mention_id)
        session.add(make_flag(mention))
        post = DeletedPost(mention.external_id, next(iter(DeletionReason)))
        assert mark_deleted(session, mention.brand_id, mention.platform, [post], NOW) == 1

    assert relink_due(sessions, clock=lambda: NOW, context=CONTEXT) == 1

    assert links(sessions) == [(author_id, WITHDRAWN)]
    with sessions() as session:
        flag = session.scalars(select(Flag)).one()
        assert (flag.status, flag.note) == (FlagStatus.DISMISSED, "the post was deleted")
        assert (
            session.scalars(select(AuthorKey).where(AuthorKey.mention_id == mention_id)).all() == []
        )


def test_consent_opens_reddit_for_the_person_who_connected_the_account(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(handles=(("reddit", "jane"),)))
    author = {"platform": "reddit", "handle": "jane", "external_id": "t2_1"}
    mention_id, author_id = add_mention(sessions, author)
    link(sessions, mention_id)
    assert links(sessions) == []
    with sessions.begin() as session:
        contact_id = session.scalars(select(Contact.id)).one()
        consent_id = record_consent(
            session, contact_id, "reddit", note="form 12", by="a@b.c", context=CONTEXT
        ).id
        session.execute(update(Author).values(link_due_at=NOW))

    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)

    assert links(sessions) == [(author_id, CONFIRMED)]
    with sessions.begin() as session:
        revoke_consent(
            session, contact_id, consent_id, by="a@b.c", context=CONTEXT, clock=lambda: NOW
        )
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)
    assert links(sessions) == [(author_id, WITHDRAWN)]


def test_nobody_is_looked_up_for_an_author_whose_platform_forbids_it(
    sessions: sessionmaker[Session], engine: Engine
) -> None:
    sync(sessions, make_record(handles=(("reddit", "jane"),), emails=("jane@example.com",)))
    author = {"platform": "reddit", "handle": "jane", "bio": "jane@example.com"}
    mention_id, _ = add_mention(sessions, author, text="I am Jane Doe, jane@example.com")
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    link(sessions, mention_id)
    event.remove(engine, "before_cursor_execute", note)

    tables = ("contact_key", "match_key", "name_count", "FROM contact ")
    assert [one for one in asked if any(table in one for table in tables)] == []
    with sessions() as session:
        assert session.scalars(select(AuthorKey)).all() == []


def test_consent_wakes_who_was_passed_over(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(emails=("jane@example.com",), relationship_source="bought"))
    author = {"platform": "x", "handle": "jane", "bio": "jane@example.com"}
    mention_id, author_id = add_mention(sessions, author)
    link(sessions, mention_id)
    assert links(sessions) == []

    with sessions.begin() as session:
        contact_id = session.scalars(select(Contact.id)).one()
        record_consent(
            session, contact_id, "x", note="form 12", by="a@b.c", context=CONTEXT, clock=lambda: NOW
        )
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)

    assert links(sessions) == [(author_id, CONFIRMED)]


def test_a_consent_is_taken_back_by_its_own_contact_only(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record("c1"), make_record("c2"))
    with sessions.begin() as session:
        one, other = session.scalars(select(Contact.id).order_by(Contact.id)).all()
        consent = record_consent(session, one, "x", note="f", by="a@b.c", context=CONTEXT)

        with pytest.raises(NotFoundError, match=f"contact {other} has no consent"):
            revoke_consent(session, other, consent.id, by="a@b.c", context=CONTEXT)

        assert list_consents(session, one) == [consent]
        assert list_consents(session, other) == []


def test_who_opted_out_is_never_proposed_again(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(emails=("jane@example.com",)))
    mention_id, author_id = add_mention(sessions, {"bio": "jane@example.com"})
    link(sessions, mention_id)
    with sessions.begin() as session:
        contact_id = session.scalars(select(Contact.id)).one()
        opt_out(session, contact_id, context=CONTEXT, clock=lambda: NOW)

    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)

    assert links(sessions) == [(author_id, WITHDRAWN)]
    again, _ = add_mention(sessions, {"bio": "jane@example.com", "external_id": "another"})
    link(sessions, again)
    assert links(sessions) == [(author_id, WITHDRAWN)]
    with sessions() as session:
        assert "jane" not in str(session.scalars(select(LinkRefusal.value_hash)).all())


def test_an_opt_out_is_taken_back(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(emails=("jane@example.com",)))
    mention_id, author_id = add_mention(sessions, {"bio": "jane@example.com"})
    link(sessions, mention_id)
    with sessions.begin() as session:
        contact_id = session.scalars(select(Contact.id)).one()
        assert find_opt_out(session, contact_id, CONTEXT) is None
        opt_out(session, contact_id, context=CONTEXT, clock=lambda: NOW)
        assert find_opt_out(session, contact_id, CONTEXT) is not None
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)
    assert links(sessions) == [(author_id, WITHDRAWN)]

    with sessions.begin() as session:
        opt_in(session, contact_id, context=CONTEXT, clock=lambda: NOW)
        with pytest.raises(NotFoundError, match="did not opt out"):
            opt_in(session, contact_id, context=CONTEXT)
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)

    assert links(sessions) == [(author_id, LinkState.SUGGESTED)]


@pytest.mark.parametrize("reason", [DeletionReason.PROTECTED, DeletionReason.SUSPENDED])
def test_an_account_that_is_shown_no_more_loses_its_link_and_the_crm_hears_it(
    sessions: sessionmaker[Session], reason: DeletionReason
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    profile = {"handle": "jane", "external_id": "7", "bio": "I am Jane"}
    mention_id, author_id = add_mention(sessions, profile, text="Acme is bad")
    link(sessions, mention_id)
    crm = FakeCrm()
    deliver_write_backs(sessions, crm, clock=lambda: NOW)
    assert crm.written["c1"]["groundswell_handles"] == "mastodon:jane"

    with sessions.begin() as session:
        assert mark_accounts_gone(session, "mastodon", {"7": reason, "8": reason}, NOW) == (1, 1)
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)
    deliver_write_backs(sessions, crm, clock=lambda: NOW)

    assert links(sessions) == [(author_id, WITHDRAWN)]
    assert crm.written["c1"]["groundswell_handles"] is None
    with sessions() as session:
        author = session.get_one(Author, author_id)
        assert (author.bio, author.handle) == (None, "jane")
        assert session.scalars(select(Mention.text)).one() == ""
        notes = session.scalars(select(LinkEvent.note).order_by(LinkEvent.id)).all()
        assert notes[-1] == f"the account is {reason}"
    with sessions.begin() as session:  # a post of theirs is seen again
        again = make_post(author=make_profile(external_id="7", handle="jane"))
        brand_id = session.scalars(select(Mention.brand_id)).first()
        assert brand_id is not None
        store_posts(
            session,
            brand_id=brand_id,
            platform="mastodon",
            posts=[again],
            source_id=None,
            now=NOW,
        )
        session.execute(update(Mention).values(pending=None))
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)
    assert links(sessions) == [(author_id, LinkState.SUGGESTED)]


def test_a_protected_post_tells_of_its_account(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    mention_id, author_id = add_mention(sessions, {"handle": "jane"}, external_id="p7")
    link(sessions, mention_id)

    with sessions.begin() as session:
        gone = [DeletedPost("p7", DeletionReason.PROTECTED)]
        assert mark_posts_gone(session, "mastodon", gone, NOW) == 1
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)

    assert links(sessions) == [(author_id, WITHDRAWN)]


def test_an_account_opts_out_also_before_it_was_seen(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(emails=("jane@example.com",)))
    mention_id, author_id = add_mention(
        sessions, {"bio": "jane@example.com", "handle": "jane", "external_id": "7"}
    )
    link(sessions, mention_id)
    with sessions.begin() as session:
        by_handle = opt_out_author(session, "Mastodon", "@jane", context=CONTEXT)
        unseen = opt_out_author(session, "mastodon", "8", context=CONTEXT)
        with pytest.raises(NotFoundError, match="give its id"):
            opt_out_author(session, "mastodon", "@nobody", context=CONTEXT)
        with pytest.raises(InputError, match="platform and id"):
            opt_out_author(session, "mastodon", "@", context=CONTEXT)
    assert (by_handle.author_id, unseen.author_id) == (author_id, None)

    relink_due(sessions, context=CONTEXT)
    later, _ = add_mention(sessions, {"bio": "jane@example.com", "external_id": "8"})
    link(sessions, later)

    assert links(sessions) == [(author_id, WITHDRAWN)]


def test_name_and_place_confirm_a_contact_of_a_public_directory_only(
    sessions: sessionmaker[Session],
) -> None:
    place = {"region": "OH"}
    sync(
        sessions,
        make_record(
            "c1", name="Jane Tavares", fields=place, relationship_source="public_directory"
        ),
        make_record("c2", name="Ada Lindqvist", fields=place),
        *(make_record(f"d{n}", name=f"Person Number{n:c}") for n in range(97, 117)),
    )
    one, jane = add_mention(sessions, {"name": "Jane Tavares", "location": "Columbus, OH"})
    two, ada = add_mention(
        sessions, {"name": "Ada Lindqvist", "location": "Columbus, OH", "external_id": "2"}
    )

    link(sessions, one, two)

    assert sorted(links(sessions)) == sorted([(jane, CONFIRMED), (ada, LinkState.SUGGESTED)])
    with sessions() as session:
        found = session.scalars(select(IdentityLink)).first()
        assert found is not None
        assert found.probability is not None
