"""Step 3: linking the authors of mentions to contacts.

A mention's own way: its author's profile and the texts are read for values that a CRM can
hold, contacts with the same values are found by index, `crm_link.matching` decides, and
links, their events and the mention's next step are written in one transaction. Doing it
twice changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.clock import Clock, utc_now
from config.db import is_sqlite, read_session
from config.phrases import phrase
from crm_link.contacts.joining import mark_records
from crm_link.context import LinkContext, load_context
from crm_link.enrich import queue_enrichment
from crm_link.linking.author_facts import NOT_OWN, Gathered, load_facts
from crm_link.linking.candidates import find_candidates
from crm_link.linking.due import AnyRow, mark_authors
from crm_link.linking.facts import AuthorFacts, Candidate, Claim
from crm_link.linking.keys import KeyKind
from crm_link.linking.link_changes import (
    SYSTEM,
    StoredLink,
    apply_claims,
    load_links,
    rule_version,
)
from crm_link.linking.link_statements import (
    BRAND_NAMES,
    finish,
    flags_of_deleted,
    held_mentions,
    rows_of,
    waiting_mentions,
)
from crm_link.linking.link_statements import authors as authors_to_link
from crm_link.linking.names import squeeze
from crm_link.linking.profile_facts import OwnText
from crm_link.linking.shared_values import find_shared, mark_shared
from crm_link.matching import judge
from crm_link.models import Flag, FlagStatus
from crm_link.types import LinkState
from listener.models import Author, Mention, Step

#: Mentions in one transaction.
BATCH = 1_024


def link_mentions(
    sessions: sessionmaker[Session],
    mention_ids: Sequence[int],
    *,
    clock: Clock = utc_now,
    context: LinkContext | None = None,
) -> int:
    """Link the authors of those mentions that wait for it; return how many mentions waited.

    Args:
        sessions: The database.
        mention_ids: Mentions; those that wait for another step are left alone.
        clock: The present.
        context: The hash key and home country; None takes them from the settings.

    """
    context = context or load_context()
    done = 0
    for start in range(0, len(mention_ids), BATCH):
        with sessions.begin() as session:
            done += _link_batch(session, mention_ids[start : start + BATCH], clock(), context)
    return done


def relink_due(
    sessions: sessionmaker[Session],
    *,
    limit: int = BATCH,
    clock: Clock = utc_now,
    context: LinkContext | None = None,
) -> int:
    """Look again at authors whose profile or contacts changed; return how many.

    Authors with a mention that still comes to linking are left to it.
    """
    context = context or load_context()
    now = clock()
    coming = exists().where(
        Mention.author_id == Author.id, Mention.pending.in_([Step.SCORE, Step.LINK])
    )
    with read_session(sessions) as session:
        author_ids = list(
            session.scalars(
                select(Author.id)
                .where(Author.link_due_at <= now, ~coming)
                .order_by(Author.link_due_at)
                .limit(limit)
            )
        )
    if author_ids:
        with sessions.begin() as session:
            touched, looked_at = _link_authors(session, author_ids, {}, now, context)
            finish(session, looked_at, ())
            queue_enrichment(session, touched, now=now)
    return len(author_ids)


def _link_batch(
    session: Session, mention_ids: Sequence[int], now: datetime, context: LinkContext
) -> int:
    rows = rows_of(session, waiting_mentions, mention_ids)
    if not rows:
        return 0
    author_ids = sorted({row.author_id for row in rows if row.author_id is not None})
    touched: set[int] = set()
    looked_at: list[int] = []
    if author_ids:
        texts = _own_texts(row for row in rows if row.author_id is not None)
        touched, looked_at = _link_authors(
            session, author_ids, texts, now, context, mention_ids={row.id for row in rows}
        )
    waiting = [row.id for row in rows]
    if len(waiting) > 1 and not is_sqlite(session):
        # Locked in one order: triage locks mentions by id too, and two that wait for each other
        # would cost both a tick. SQLite has one writer.
        waiting = [row.id for row in rows_of(session, held_mentions, waiting)]
    passed_on = finish(session, looked_at, waiting)
    if touched:
        queue_enrichment(session, touched, now=now)
    return passed_on


def _link_authors(
    session: Session,
    author_ids: Sequence[int],
    texts: Mapping[int, Sequence[OwnText]],
    now: datetime,
    context: LinkContext,
    *,
    mention_ids: Collection[int] = (),
) -> tuple[set[int], list[int]]:
    """Judge the authors; return the contacts whose enrichment changes by it, and who was due."""
    rows = rows_of(session, authors_to_link, author_ids)
    found = load_facts(session, rows, texts, context, mention_ids=mention_ids)
    about = find_candidates(session, found.authors, context)
    candidates = about.candidates
    links = load_links(session, author_ids, context)
    authors = _with_shared(session, found, candidates, now, context)
    brand_names = _brand_names(session) if _share_an_address(candidates) else frozenset()
    claims = {
        author.author_id: judge(
            author,
            contacts,
            hash_value=context.hash_value,
            brand_names=brand_names,
            taken=_taken(links.get(author.author_id, {})),
            scale=about.scale,
        )
        for author in authors
        if (contacts := candidates[author.author_id])
    }
    touched = apply_claims(
        session, found.platforms, claims, links, now, version=rule_version(context.model)
    )
    if together := touched & _of_several(claims, links):
        mark_records(session, together, now)
    touched |= {
        contact_id
        for group in links.values()
        for contact_id, link in group.items()
        if link.row.state is LinkState.CONFIRMED
    }
    looked_at = [row.id for row in rows if row.link_due_at is not None]
    _drop_flags(session, found.deleted, now)
    return touched, looked_at


def _drop_flags(session: Session, author_ids: Sequence[int], now: datetime) -> None:
    """Take what is deleted out of people's work: nothing is left to be looked at."""
    if not author_ids:
        return
    flags = [row.id for row in rows_of(session, flags_of_deleted, author_ids)]
    if flags:
        session.execute(
            update(Flag)
            .where(any_of(session, Flag.id, flags))
            .values(
                status=FlagStatus.DISMISSED,
                closed_at=now,
                closed_by=SYSTEM,
                note=phrase("the post was deleted"),
            )
        )


def _with_shared(
    session: Session,
    gathered: Gathered,
    candidates: Mapping[int, Sequence[Candidate]],
    now: datetime,
    context: LinkContext,
) -> list[AuthorFacts]:
    """Return the facts with what another author shows too marked, and wake the others.

    Only values that a contact has are looked up, and the others are woken only when this
    author shows the value for the first time: else two would wake each other for ever.
    """
    authors = gathered.authors
    wanted: dict[int, set[str]] = defaultdict(set)
    for author in authors:
        keys = {key for found in candidates[author.author_id] for key in found.keys}
        for fact in author.facts:
            if (fact.kind.value, fact.value) in keys:
                wanted[author.author_id].add(context.hash_value(fact.kind, fact.value))
    if not wanted:
        return authors
    shared, showing = find_shared(session, wanted)
    if not shared:
        return authors
    others = {
        other
        for author_id, value in shared
        if value in gathered.fresh.get(author_id, ())
        for other in showing[value]
    }
    mark_authors(session, others - {author.author_id for author in authors}, now)
    return [mark_shared(author, shared, context) for author in authors]


def _taken(links: Mapping[int, StoredLink]) -> dict[str, set[int]]:
    """Return the contacts that a person confirmed, by CRM."""
    taken: dict[str, set[int]] = defaultdict(set)
    for contact_id, link in links.items():
        if link.row.state is LinkState.CONFIRMED and link.row.decided_by is not None:
            taken[link.row.crm].add(contact_id)
    return taken


def _of_several(
    claims: Mapping[int, Sequence[Claim]], links: Mapping[int, Mapping[int, StoredLink]]
) -> set[int]:
    """Return the contacts of authors who are, or were, confirmed to be more than one."""
    found: set[int] = set()
    for author_id in claims.keys() | links.keys():
        claimed = claims.get(author_id, ())
        own = {one.contact_id for one in claimed if one.state is LinkState.CONFIRMED}
        stored = links.get(author_id, {})
        own |= {one for one, link in stored.items() if link.row.state is LinkState.CONFIRMED}
        found |= own if len(own) > 1 else set()
    return found


def _share_an_address(candidates: Mapping[int, Sequence[Candidate]]) -> bool:
    """Say whether an e-mail address agrees anywhere: only there a brand's name matters."""
    return any(
        kind == KeyKind.EMAIL
        for group in candidates.values()
        for one in group
        for kind, _ in one.keys
    )


def _brand_names(session: Session) -> frozenset[str]:
    """Return the squeezed names of all brands, by which an address of theirs is known."""
    return frozenset(
        short
        for name, names in session.execute(BRAND_NAMES)
        for text in (name, *names)
        if (short := squeeze(text))
    )


def _own_texts(rows: Iterable[AnyRow]) -> dict[int, list[OwnText]]:
    """Return the texts of mention rows that are their authors' own words, by author."""
    texts: dict[int, list[OwnText]] = defaultdict(list)
    for row in rows:
        if row.deleted_at is None and row.kind not in NOT_OWN:
            texts[row.author_id].append(OwnText(row.id, row.text))
    return texts
