"""Mentions: list them and look at one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import actions
from api.deps import CommunityManagerDep, SessionDep, SessionsDep, StateDep, get_user
from api.paging import CursorQuery, LimitQuery, Page, mention_cursor, mention_key
from api.schemas.incidents import IncidentOut
from api.schemas.mentions import (
    CorrectionOut,
    FlagOut,
    JudgementOut,
    LabelIn,
    ListedMentionOut,
    MentionDetailOut,
    MentionOut,
    OldScoreOut,
    SignalsOut,
    VersionOut,
    WhyOut,
)
from api.schemas.people import ContactLinkOut
from api.why import why
from config.clock import to_utc
from crm_link.mention_view import view_mention
from crm_link.mentions import MentionFilter, list_mentions
from sentiment.signals.service import signals_of

router = APIRouter(prefix="/mentions", tags=["mentions"], dependencies=[Depends(get_user)])

Word = Annotated[str, Query(max_length=100)]


def mention_filter(
    brand: Word = "",
    platform: Word = "",
    priority: Word = "",
    label: Word = "",
    lang: Word = "",
    topic: Word = "",
    text: Annotated[str, Query(max_length=500, description="Words that the text has.")] = "",
    intent: Annotated[Word, Query(description="question, complaint, ... or none.")] = "",
    emotion: Word = "",
    spam: Annotated[Word, Query(description="likely or unlikely: spam, or by a bot.")] = "",
    about: Annotated[Word, Query(description="A topic's id; needs since and until.")] = "",
    author_id: int | None = None,
    source_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    with_folded: Annotated[bool, Query(description="Reposts and near-duplicates too.")] = False,  # noqa: FBT002 - a query parameter
) -> MentionFilter:
    """Return which mentions are asked for."""
    return MentionFilter(
        brand=brand,
        platform=platform,
        priority=priority,
        label=label,
        lang=lang,
        topic=topic,
        text=text,
        intent=intent,
        emotion=emotion,
        spam=spam,
        about=about,
        author_id=author_id,
        source_id=source_id,
        since=to_utc(since) if since else None,
        until=to_utc(until) if until else None,
        with_folded=with_folded,
    )


@router.get("")
def read_mentions(
    session: SessionDep,
    wanted: Annotated[MentionFilter, Depends(mention_filter)],
    cursor: CursorQuery = "",
    limit: LimitQuery = 25,
) -> Page[ListedMentionOut]:
    """List mentions, the newest first.

    A page holds fewer than `limit`, or none, where it had looked long enough: `next_cursor` goes on
    from there, and is null at the end only.
    """
    page = list_mentions(session, wanted, after=mention_key(cursor), limit=limit)
    signals = signals_of(session, [mention.id for mention in page.mentions])
    return Page(
        items=[
            ListedMentionOut(
                **_brief(mention).model_dump(), signals=SignalsOut.of(signals.get(mention.id))
            )
            for mention in page.mentions
        ],
        next_cursor=mention_cursor(page.after),
    )


@router.get("/{mention_id}")
def read_mention(session: SessionDep, mention_id: int) -> MentionDetailOut:
    """Return a mention with its flag, versions, thread, reposts, contacts and incidents."""
    view = view_mention(session, mention_id)
    return MentionDetailOut(
        **MentionOut.model_validate(view.mention).model_dump(),
        flag=FlagOut.model_validate(view.flag) if view.flag else None,
        versions=[VersionOut.model_validate(version) for version in view.versions],
        thread=[_brief(mention) for mention in view.thread],
        folded=[_brief(mention) for mention in view.folded],
        links_to_contacts=[ContactLinkOut.model_validate(link) for link in view.links],
        incidents=[IncidentOut.model_validate(incident) for incident in view.incidents],
        corrections=[CorrectionOut.model_validate(one) for one in view.corrections],
        old_scores=[OldScoreOut.model_validate(one) for one in view.old_scores],
        judgements=[JudgementOut.model_validate(one) for one in view.judgements],
        signals=SignalsOut.of(view.signals),
    )


@router.get("/{mention_id}/why")
def read_why(sessions: SessionsDep, state: StateDep, mention_id: int) -> WhyOut:
    """Return the words that carried a mention's judgement; 503 while the model is loaded."""
    return WhyOut.model_validate(why(sessions, state.settings, mention_id))


@router.post("/{mention_id}/correct")
def correct(actor: CommunityManagerDep, mention_id: int, body: LabelIn) -> CorrectionOut:
    """Say what a mention's label is: it wins over the scorer, and can be undone."""
    return CorrectionOut.model_validate(actions.correct_label(actor, mention_id, body.label))


@router.post("/{mention_id}/undo-correction")
def undo_correction(actor: CommunityManagerDep, mention_id: int) -> CorrectionOut:
    """Give a mention back the label that the scorer gave it."""
    return CorrectionOut.model_validate(actions.undo_correction(actor, mention_id))


def _brief(mention: object) -> MentionOut:
    return MentionOut.model_validate(mention)
