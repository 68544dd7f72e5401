"""What a person decides about one author: all who it may be, beside each other.

An author with several suggestions is one case, so that ties are seen together. The policy's
reason stands with each, and where the platform is restricted its owner's expectation is asked
for: X allows a match only where the person would expect it ("Off-X matching").
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, aliased, joinedload

from config.any_of import any_of
from crm_link.context import LinkContext, load_context
from crm_link.linking.link_changes import SYSTEM
from crm_link.linking.link_compare import Comparison, side_by_side
from crm_link.mention_view import get_link
from crm_link.models import IdentityLink, LinkEvent
from crm_link.policy import PolicyRule, may_link, rule_of
from crm_link.refusals import consents_of
from crm_link.types import LinkState
from listener.models import Author, Brand, Mention

#: Bits between the best two suggestions up to which they are a tie: one is at most four times
#: as likely as the other.
TIE_BITS = 2.0

#: Mentions of the author that are shown.
MOST_SAID = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that an author may be.

    Args:
        link: The claim, with author and contact.
        compared: Both sides, most telling first.
        rule: What the platform's policy says of the pair.
        is_allowed: Whether it may be linked at all.
        accounts: Accounts that are confirmed to be the contact's already.

    """

    link: IdentityLink
    compared: Sequence[Comparison]
    rule: str
    is_allowed: bool
    accounts: Sequence[Author]


@dataclass(frozen=True, slots=True)
class Case:
    """An author with everybody they may be, the likeliest first.

    Args:
        author: The account.
        candidates: Suggested links; or the one link that was asked for, whatever its state.
        confirmed: Contacts that the author is confirmed to be already.
        is_tie: The best two weigh about the same: look for what tells them apart.
        asks: Whether the author's platform wants that they would expect it.
        said: What the author said lately.

    """

    author: Author
    candidates: Sequence[Candidate]
    confirmed: Sequence[IdentityLink]
    is_tie: bool
    asks: bool
    said: Sequence[Mention]


class CaseKey(NamedTuple):
    """A case's place in the review: its likeliest link's weight in bits, and that link's id."""

    weight_bits: float
    link_id: int


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases, and the place after which the next ones begin; None at the end."""

    cases: tuple[Case, ...]
    after: CaseKey | None


def open_cases(session: Session, *, after: CaseKey | None = None, limit: int = 20) -> CasePage:
    """Return authors with suggestions, the likeliest first, of equal ones the newer first.

    What is most likely true is decided fastest and helps soonest: a confirmed link tells who is a
    customer on every mention of that author.

    Args:
        session: The transaction.
        after: The place of the last case of the page before; None for the first page.
        limit: Cases on the page.

    """
    better = aliased(IdentityLink)
    has_better = select(better.id).where(
        better.author_id == IdentityLink.author_id,
        better.state == LinkState.SUGGESTED,
        tuple_(better.weight_bits, better.id) > tuple_(IdentityLink.weight_bits, IdentityLink.id),
    )
    place = (IdentityLink.weight_bits, IdentityLink.id)
    query = select(IdentityLink.author_id, *place).where(
        IdentityLink.state == LinkState.SUGGESTED, ~has_better.exists()
    )
    if after is not None:
        query = query.where(tuple_(*place) < tuple_(*after))
    rows = session.execute(query.order_by(*(part.desc() for part in place)).limit(limit + 1)).all()
    shown = rows[:limit]
    links = _links(session, [row.author_id for row in shown])
    suggested: dict[int, list[IdentityLink]] = {row.author_id: [] for row in shown}
    for link in links:
        if link.state is LinkState.SUGGESTED:
            suggested[link.author_id].append(link)
    return CasePage(
        tuple(_cases(session, suggested, links)),
        CaseKey(shown[-1].weight_bits, shown[-1].id) if len(rows) > limit else None,
    )


def case_of(session: Session, link_id: int) -> Case:
    """Return one link as a case by itself, whatever its state.

    Raises:
        NotFoundError: There is no such link.

    """
    link = get_link(session, link_id)
    links = [*_links(session, [link.author_id])]
    return next(iter(_cases(session, {link.author_id: [link]}, links)))


def decided_lately(session: Session, *, limit: int = 50) -> list[tuple[LinkEvent, IdentityLink]]:
    """Return the last decisions that people made, the newest first, with their links."""
    events = session.scalars(
        select(LinkEvent)
        .where(LinkEvent.actor != SYSTEM)
        .order_by(LinkEvent.id.desc())
        .limit(limit)
    ).all()
    links = {
        link.id: link
        for link in session.scalars(
            select(IdentityLink)
            .where(any_of(session, IdentityLink.id, {event.link_id for event in events}))
            .options(joinedload(IdentityLink.author), joinedload(IdentityLink.contact))
        )
    }
    return [(event, links[event.link_id]) for event in events if event.link_id in links]


def asks_for_expectation(platform: str, context: LinkContext | None = None) -> bool:
    """Say whether a platform's terms want that its people would expect to be linked."""
    table = (context or load_context()).table
    return rule_of(platform, table) is PolicyRule.RESTRICTED


def _links(session: Session, author_ids: Collection[int]) -> Sequence[IdentityLink]:
    return session.scalars(
        select(IdentityLink)
        .where(
            any_of(session, IdentityLink.author_id, author_ids),
            IdentityLink.state.in_((LinkState.SUGGESTED, LinkState.CONFIRMED)),
        )
        .options(joinedload(IdentityLink.author), joinedload(IdentityLink.contact))
        .order_by(IdentityLink.weight_bits.desc(), IdentityLink.id)
    ).all()


def _cases(
    session: Session, shown: dict[int, list[IdentityLink]], links: Sequence[IdentityLink]
) -> list[Case]:
    context = load_context()
    contact_ids = {link.contact_id for group in shown.values() for link in group}
    consents = consents_of(session, contact_ids)
    accounts = _accounts(session, contact_ids)
    said = _said(session, shown)
    found = []
    for author_id, group in shown.items():
        if not group:
            continue
        candidates = []
        for link in group:
            verdict = may_link(
                link.author.platform,
                link.contact.relationship_source,
                consents=consents.get(link.contact_id, ()),
                table=context.table,
            )
            others = [one for one in accounts.get(link.contact_id, ()) if one.id != author_id]
            candidates.append(
                Candidate(link, side_by_side(link), verdict.rule, verdict.is_allowed, others)
            )
        weights = [link.weight_bits for link in group]
        own = {link.id for link in group}
        found.append(
            Case(
                author=group[0].author,
                candidates=candidates,
                confirmed=[
                    link
                    for link in links
                    if link.author_id == author_id
                    and link.state is LinkState.CONFIRMED
                    and link.id not in own
                ],
                is_tie=len(weights) > 1 and weights[0] - weights[1] <= TIE_BITS,
                asks=asks_for_expectation(group[0].author.platform, context),
                said=said.get(author_id, ()),
            )
        )
    return found


def _accounts(session: Session, contact_ids: Collection[int]) -> dict[int, list[Author]]:
    found: dict[int, list[Author]] = {}
    for link in session.scalars(
        select(IdentityLink)
        .where(
            any_of(session, IdentityLink.contact_id, contact_ids),
            IdentityLink.state == LinkState.CONFIRMED,
        )
        .options(joinedload(IdentityLink.author))
        .order_by(IdentityLink.id)
    ):
        found.setdefault(link.contact_id, []).append(link.author)
    return found


def _said(session: Session, author_ids: Collection[int]) -> dict[int, Sequence[Mention]]:
    """Return each author's newest mentions: a short walk over the index for each place."""
    newest = (
        select(Mention.id)
        .join(Mention.brand)
        .where(Mention.author_id == Author.id, Mention.deleted_at.is_(None), Brand.is_own())
        .order_by(Mention.published_at.desc(), Mention.id.desc())
        .limit(1)
        .correlate(Author)
    )
    places = [newest.offset(place).scalar_subquery() for place in range(MOST_SAID)]
    rows = session.execute(
        select(Author.id, *places).where(any_of(session, Author.id, author_ids))
    ).all()
    ids = {row[0]: [one for one in row[1:] if one is not None] for row in rows}
    shown = select(Mention).where(any_of(session, Mention.id, chain.from_iterable(ids.values())))
    mentions = {
        mention.id: mention for mention in session.scalars(shown.options(joinedload(Mention.brand)))
    }
    return {author_id: [mentions[one] for one in found] for author_id, found in ids.items()}
