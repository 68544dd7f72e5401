"""Everything that is known around one mention: who wrote it, to whom, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from config.errors import NotFoundError
from crm_link.escalation.models import Incident
from crm_link.flags.models import FlagEvent
from crm_link.models import Flag, IdentityLink
from crm_link.types import LinkState
from listener.models import Mention, MentionVersion, Source
from sentiment.history import Judgement, judgements_of
from sentiment.models import Correction, OldScore
from sentiment.signals.models import MentionSignal

#: Mentions of a thread, of an author and of a fold that are shown beside one.
MAX_BESIDE = 50

#: Links that are shown, the strongest claim first.
_SHOWN_STATES = (LinkState.CONFIRMED, LinkState.SUGGESTED, LinkState.REJECTED)


@dataclass(frozen=True, slots=True)
class MentionView:
    """One mention with what belongs to it.

    Args:
        mention: With author and brand.
        thread: Its conversation in the order of time, itself included; empty if it is alone.
        versions: What it said before it was edited, oldest first.
        folded: Reposts and near-duplicates that it stands for.
        original: The mention that it repeats, where it is one of those.
        others: Other mentions of the same author, of all brands, newest first.
        links: Who the author is said to be, with contacts.
        incidents: Those that people put it into, whatever their topic, and those of its brand and
            topic that ran when it was published.
        corrections: What people said its label is, the newest first; ended ones too.
        old_scores: What earlier scorers said.
        judgements: All of the above together with what holds now: who or what said it.
        signals: What it says besides its polarity; None until it was judged.

    """

    mention: Mention
    flag: Flag | None
    source: Source | None
    thread: Sequence[Mention]
    versions: Sequence[MentionVersion]
    folded: Sequence[Mention]
    original: Mention | None
    others: Sequence[Mention]
    links: Sequence[IdentityLink]
    incidents: Sequence[Incident]
    corrections: Sequence[Correction]
    old_scores: Sequence[OldScore]
    judgements: Sequence[Judgement]
    signals: MentionSignal | None


def view_mention(session: Session, mention_id: int) -> MentionView:
    """Return a mention with everything around it."""
    mention = get_mention(session, mention_id)
    thread = _thread(session, mention)
    return MentionView(
        mention=mention,
        flag=session.scalar(select(Flag).where(Flag.mention_id == mention_id)),
        source=session.get(Source, mention.source_id) if mention.source_id else None,
        thread=thread if len(thread) > 1 else [],
        versions=session.scalars(
            select(MentionVersion)
            .where(MentionVersion.mention_id == mention_id)
            .order_by(MentionVersion.number)
        ).all(),
        folded=session.scalars(
            _mentions()
            .where(Mention.folded_into_id == mention_id)
            .order_by(Mention.published_at.desc())
            .limit(MAX_BESIDE)
        ).all(),
        original=session.scalar(_mentions().where(Mention.id == mention.folded_into_id))
        if mention.folded_into_id
        else None,
        others=_others(session, mention),
        links=links_of_author(session, mention.author_id),
        incidents=_incidents(session, mention),
        corrections=session.scalars(
            select(Correction)
            .where(Correction.mention_id == mention_id)
            .order_by(Correction.id.desc())
        ).all(),
        old_scores=session.scalars(
            select(OldScore)
            .where(OldScore.mention_id == mention_id)
            .order_by(OldScore.scored_at.desc())
        ).all(),
        judgements=judgements_of(session, mention_id),
        signals=None if mention.deleted_at is not None else session.get(MentionSignal, mention_id),
    )


def get_mention(session: Session, mention_id: int) -> Mention:
    """Return a mention with author and brand."""
    mention = session.scalar(_mentions().where(Mention.id == mention_id))
    if mention is None:
        raise NotFoundError("there is no mention %(mention_id)s", mention_id=mention_id)
    return mention


def links_of_author(session: Session, author_id: int | None) -> Sequence[IdentityLink]:
    """Return who an author is said to be: confirmed links first, then the heaviest."""
    if author_id is None:
        return []
    found = session.scalars(
        select(IdentityLink)
        .where(IdentityLink.author_id == author_id, IdentityLink.state.in_(_SHOWN_STATES))
        .options(joinedload(IdentityLink.contact))
    ).all()
    return sorted(found, key=lambda link: (_SHOWN_STATES.index(link.state), -link.weight_bits))


def _thread(session: Session, mention: Mention) -> Sequence[Mention]:
    ids = {mention.id}
    parents = [found for found in (mention.reply_to_id, mention.conversation_id) if found]
    if parents:
        ids |= set(
            session.scalars(
                select(Mention.id).where(
                    Mention.brand_id == mention.brand_id,
                    Mention.platform == mention.platform,
                    Mention.external_id.in_(parents),
                )
            )
        )
    if mention.conversation_id:
        # The brand is compared here, because in the query it makes SQLite walk the whole brand.
        found = session.execute(
            select(Mention.id, Mention.brand_id)
            .where(
                Mention.platform == mention.platform,
                Mention.conversation_id == mention.conversation_id,
            )
            .limit(MAX_BESIDE)
        )
        ids |= {row.id for row in found if row.brand_id == mention.brand_id}
    return session.scalars(
        _mentions().where(Mention.id.in_(ids)).order_by(Mention.published_at, Mention.id)
    ).all()


def _others(session: Session, mention: Mention) -> Sequence[Mention]:
    if mention.author_id is None:
        return []
    return session.scalars(
        select(Mention)
        .where(
            Mention.author_id == mention.author_id,
            Mention.id != mention.id,
        )
        .order_by(Mention.published_at.desc())
        .limit(10)
    ).all()


def _incidents(session: Session, mention: Mention) -> Sequence[Incident]:
    """Return the incidents that people put a mention into, then those of its topic and time."""
    escalated = session.scalars(
        select(FlagEvent.after).where(
            FlagEvent.mention_id == mention.id,
            FlagEvent.action == "escalate",
            FlagEvent.undone_at.is_(None),
        )
    )
    put_into = {after["incident_id"] for after in escalated}
    by_hand = session.scalars(
        select(Incident).where(Incident.id.in_(put_into)).order_by(Incident.id.desc())
    ).all()
    of_topic = session.scalars(
        select(Incident)
        .where(
            Incident.brand_id == mention.brand_id,
            Incident.topic == mention.topic,
            Incident.last_seen_at >= mention.published_at,
            or_(Incident.resolved_at.is_(None), Incident.resolved_at >= mention.published_at),
            Incident.id.not_in(put_into),
        )
        .order_by(Incident.opened_at.desc())
        .limit(3)
    )
    return [*by_hand, *of_topic]


def _mentions() -> Select[Mention]:
    return select(Mention).options(joinedload(Mention.author), joinedload(Mention.brand))


def get_link(session: Session, link_id: int) -> IdentityLink:
    """Return a link with author and contact."""
    link = session.scalar(
        select(IdentityLink)
        .where(IdentityLink.id == link_id)
        .options(joinedload(IdentityLink.author), joinedload(IdentityLink.contact))
    )
    if link is None:
        raise NotFoundError("there is no link %(link_id)s", link_id=link_id)
    return link
