from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.models import AuthorKey, ContactKey, IdentityLink, LinkEvent
from crm_link.service import link_mentions, relink_due
from crm_link.types import LinkState
from listener.models import Author, Mention, Step
from listener.types import PostKind
from tests.crm_link.make_linking import CONTEXT, add_mention, make_record, sync
from tests.make import NOW

CONFIRMED, SUGGESTED = LinkState.CONFIRMED, LinkState.SUGGESTED
LATER = NOW + timedelta(hours=1)


def link(sessions: sessionmaker[Session], *mention_ids: int) -> int:
    return link_mentions(sessions, mention_ids, clock=lambda: NOW, context=CONTEXT)


def relink(sessions: sessionmaker[Session]) -> int:
    return relink_due(sessions, limit=100, clock=lambda: LATER, context=CONTEXT)


def links(sessions: sessionmaker[Session]) -> list[tuple[int, LinkState]]:
    with sessions() as session:
        return [
            (row.author_id, row.state)
            for row in session.scalars(select(IdentityLink).order_by(IdentityLink.id))
        ]


def change(sessions: sessionmaker[Session], author_id: int, **values: Any) -> None:
    with sessions.begin() as session:
        author = session.get_one(Author, author_id)
        for name, value in values.items():
            setattr(author, name, value)
        author.link_due_at = NOW


@pytest.mark.parametrize(
    ("contact", "author", "text"),
    [
        ({"handles": (("mastodon", "Jane"),)}, {"handle": "jane"}, "hi"),
        ({"handles": (("mastodon", "u77"),)}, {"external_id": "u77"}, "hi"),
        ({"links": ("https://x.com/JaneD",)}, {"platform": "x", "handle": "janed"}, "hi"),
        ({"emails": ("Jane.Doe@Example.com",)}, {"bio": "Me: jane.doe+x@example.com"}, "hi"),
        ({"emails": ("jane@example.com",)}, {}, "write to JANE@example.com please"),
        ({"phones": ("(202) 224-2315",)}, {}, "call me at +1 202 224 2315"),
        (
            {"phones": ("020 7946 0958",), "country": "GB"},
            {"bio": "\u260e +44 20 7946 0958"},
            "hi",
        ),
        (
            {"links": ("https://www.janedoe.com/",)},
            {"verified_links": ["http://janedoe.com"]},
            "hi",
        ),
        (
            {"links": ("janedoe.com",)},
            {"platform": "bluesky", "handle": "janedoe.com"},
            "hi",
        ),
    ],
)
def test_evidence_that_stands_alone_confirms_and_the_mention_moves_on(
    sessions: sessionmaker[Session], contact: dict[str, Any], author: dict[str, Any], text: str
) -> None:
    sync(sessions, make_record(**contact), make_record("c2", name="Other Person"))
    mention_id, author_id = add_mention(sessions, author, text=text)

    assert link(sessions, mention_id) == 1

    assert links(sessions) == [(author_id, CONFIRMED)]
    with sessions() as session:
        assert session.get_one(Mention, mention_id).pending is Step.TRIAGE
        (made,) = session.scalars(select(LinkEvent)).all()
        assert (made.actor, made.from_state, made.to_state) == ("groundswell", None, CONFIRMED)
        found = session.scalars(select(IdentityLink)).one()
        assert found.rule_version == "evidence-2+profiles-1"
        assert found.decided_by is None
        assert found.evidence[0]["observed_at"] == NOW.isoformat()
        assert "jane" not in str(found.evidence)


@pytest.mark.parametrize(
    ("contact", "author", "changes"),
    [
        ({"name": "Jane Doe"}, {"name": "Jane Doe"}, {}),
        ({"name": "Jane Doe"}, {"name": "Jane Doe", "bio": "Jane Doe here"}, {}),
        ({"emails": ("jane@example.com",)}, {}, {"kind": PostKind.REPOST}),
        ({"emails": ("jane@example.com",)}, {}, {"kind": PostKind.ARTICLE}),
        ({"handles": (("reddit", "jane"),)}, {"platform": "reddit", "handle": "jane"}, {}),
        (
            {"handles": (("x", "jane"),), "relationship_source": "bought"},
            {"platform": "x", "handle": "jane"},
            {},
        ),
    ],
)
def test_too_little_or_forbidden_makes_no_link(
    sessions: sessionmaker[Session],
    contact: dict[str, Any],
    author: dict[str, Any],
    changes: dict[str, Any],
) -> None:
    sync(sessions, make_record(**contact))
    mention_id, _ = add_mention(sessions, author, text="mail jane@example.com", **changes)

    assert link(sessions, mention_id) == 1

    assert links(sessions) == []


def test_nothing_is_kept_of_an_author_whose_platform_forbids_linking(
    sessions: sessionmaker[Session],
) -> None:
    mention_id, _ = add_mention(sessions, {"platform": "reddit", "bio": "me@example.com"})

    link(sessions, mention_id)

    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(AuthorKey)) == 0


def test_linking_twice_changes_nothing(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    mention_id, author_id = add_mention(sessions, {"handle": "jane"})
    link(sessions, mention_id)

    assert link(sessions, mention_id) == 0
    change(sessions, author_id)
    assert relink(sessions) == 1
    assert relink(sessions) == 0

    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(LinkEvent)) == 1


def test_an_address_that_two_authors_post_only_suggests_for_both(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(emails=("jane@example.com",)))
    first, one = add_mention(sessions, {}, text="my mail is jane@example.com")
    second, two = add_mention(sessions, {}, text="ask jane@example.com")

    link(sessions, first)
    assert links(sessions) == [(one, CONFIRMED)]
    link(sessions, second)

    assert links(sessions) == [(one, CONFIRMED), (two, SUGGESTED)]
    assert relink(sessions) == 1
    assert relink(sessions) == 0
    assert links(sessions) == [(one, SUGGESTED), (two, SUGGESTED)]


def test_a_new_contact_links_authors_who_spoke_before(sessions: sessionmaker[Session]) -> None:
    by_text, one = add_mention(sessions, {}, text="my mail: jane@example.com")
    by_handle, two = add_mention(sessions, {"handle": "Bob"})
    by_id, three = add_mention(sessions, {"external_id": "777"})
    other, _ = add_mention(sessions, {})
    assert link(sessions, by_text, by_handle, by_id, other) == 4
    assert links(sessions) == []

    sync(
        sessions,
        make_record("c1", emails=("jane@example.com",)),
        make_record("c2", handles=(("mastodon", "bob"),)),
        make_record("c3", handles=(("mastodon", "777"),)),
    )

    assert relink(sessions) == 3
    assert sorted(links(sessions)) == [(one, CONFIRMED), (two, CONFIRMED), (three, CONFIRMED)]


def test_evidence_that_is_gone_withdraws_and_what_comes_back_is_suggested(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(emails=("jane@example.com",)))
    mention_id, author_id = add_mention(sessions, {"bio": "jane@example.com"})
    link(sessions, mention_id)

    change(sessions, author_id, bio="gone")
    relink(sessions)
    assert links(sessions) == [(author_id, LinkState.WITHDRAWN)]
    change(sessions, author_id, bio="jane@example.com")
    relink(sessions)

    change(sessions, author_id)
    relink(sessions)  # looked at once more, it is still a person's to decide

    assert links(sessions) == [(author_id, LinkState.SUGGESTED)]
    with sessions() as session:
        events = session.scalars(select(LinkEvent).order_by(LinkEvent.id)).all()
        assert [event.to_state for event in events] == [
            CONFIRMED,
            LinkState.WITHDRAWN,
            LinkState.SUGGESTED,
        ]
        assert events[1].note == "the evidence is gone"
        assert events[2].note.endswith("only suggested: it was withdrawn before")


def test_a_deleted_mention_proves_nothing_any_more(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(emails=("jane@example.com",)))
    mention_id, author_id = add_mention(sessions, {}, text="my mail: jane@example.com")
    link(sessions, mention_id)
    other, _ = add_mention(sessions, author_id)
    link(sessions, other)
    assert links(sessions) == [(author_id, CONFIRMED)]

    with sessions.begin() as session:
        session.get_one(Mention, mention_id).deleted_at = NOW
    change(sessions, author_id)
    relink(sessions)

    assert links(sessions) == [(author_id, LinkState.WITHDRAWN)]
    with sessions() as session:
        kinds = session.scalars(select(AuthorKey.kind)).all()
        assert kinds == ["handle"]


def test_a_contact_that_the_crm_deleted_withdraws_its_links(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    mention_id, author_id = add_mention(sessions, {"handle": "jane"})
    link(sessions, mention_id)

    assert sync(sessions, make_record(is_deleted=True)).deleted == 1
    relink(sessions)

    assert links(sessions) == [(author_id, LinkState.WITHDRAWN)]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(ContactKey)) == 0


def test_what_a_person_rejected_stays_rejected(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    mention_id, author_id = add_mention(sessions, {"handle": "jane"})
    link(sessions, mention_id)
    with sessions.begin() as session:
        row = session.scalars(select(IdentityLink)).one()
        row.state, row.decided_by = LinkState.REJECTED, "ann@example.com"

    again, _ = add_mention(sessions, author_id)
    link(sessions, again)

    assert links(sessions) == [(author_id, LinkState.REJECTED)]


def test_an_author_who_still_waits_is_left_to_the_mention(
    sessions: sessionmaker[Session],
) -> None:
    _, author_id = add_mention(sessions, {})
    change(sessions, author_id)

    assert relink(sessions) == 0


def test_a_value_that_many_contacts_share_is_no_reason_to_look(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, *(make_record(f"c{n}", links=("acme-tools.com",)) for n in range(30)))
    mention_id, _ = add_mention(
        sessions, {"name": "Jane Doe", "verified_links": ["https://acme-tools.com"]}
    )

    link(sessions, mention_id)

    assert links(sessions) == []
