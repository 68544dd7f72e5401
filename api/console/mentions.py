"""All mentions, and one with everything around it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api import actions
from api.console.filters import Options, filter_options
from api.console.page import PageDep
from api.console.person_chart import weeks_svg
from api.console.queue import around
from api.console.replying import posting_of, reply_context
from api.deps import CommunityManagerDep, SessionsDep
from api.formats import iso, words
from api.language import gettext, ngettext
from api.pages import back_to, is_htmx, render
from api.paging import CursorQuery, mention_cursor, mention_key
from api.reply_pages import reply_page
from api.routes.mentions import mention_filter
from api.why import LoadingError, why
from crm_link.contacts.contact_360 import view_contact_360
from crm_link.flags.events import event_says, events_of
from crm_link.flags.queue_presence import who_is_there
from crm_link.mention_class import by_protocol
from crm_link.mention_view import view_mention
from crm_link.mentions import MentionFilter, list_mentions
from crm_link.replying.lists import live_replies, replies_of
from crm_link.types import LinkState, Priority
from sentiment.heads import EMOTIONS
from sentiment.signals.filter import INTENTS, SPAM
from sentiment.signals.service import signals_of
from sentiment.types import Label

router = APIRouter(prefix="/mentions")

#: Rows on one page.
ROWS = 40


@router.get("")
def mentions(
    page: PageDep,
    wanted: Annotated[MentionFilter, Depends(mention_filter)],
    cursor: CursorQuery = "",
) -> Response:
    """List mentions, the newest first."""
    found = list_mentions(page.session, wanted, after=mention_key(cursor), limit=ROWS)
    filters = {key: value for key, value in asdict(wanted).items() if value}
    return page.show(
        "mentions.html",
        {
            "mentions": found.mentions,
            "next_cursor": mention_cursor(found.after),
            "looked_back_to": found.after.published_at if found.after and found.is_cut else None,
            "is_first": not cursor,
            "filters": filters,
            "query_filters": {
                key: iso(value) if isinstance(value, datetime) else value
                for key, value in filters.items()
            },
            "signals": signals_of(page.session, [mention.id for mention in found.mentions]),
            "intent_options": _same(INTENTS),
            "emotion_options": _same(EMOTIONS),
            "spam_options": _same(SPAM),
            **filter_options(page.session),
        },
    )


@router.get("/{mention_id}")
def mention(page: PageDep, mention_id: int) -> Response:
    """Show one mention."""
    view = view_mention(page.session, mention_id)
    context: dict[str, Any] = {
        "view": view,
        "by_protocol": by_protocol(page.session, view.mention),
        "reply_page": reply_page(view.mention),
        "events": events_of(page.session, mention_id),
        "event_says": event_says,
        "priorities": list(Priority),
        "undo": page.request.session.pop("undo", None),
        "known": {},
        **around(page, []),
        "present": who_is_there(page.session, [mention_id], clock=page.state.clock),
        "replies": replies_of(page.session, mention_id),
        "has_live_reply": mention_id in live_replies(page.session, [mention_id]),
        "posting": posting_of(page, view.mention),
        **reply_context(page),
    }
    for link in view.links:
        if link.state is LinkState.CONFIRMED:
            known = view_contact_360(
                page.session, link.contact, now=page.state.clock(), beside=mention_id
            )
            title = ngettext(
                "%(num)s judged mention in %(weeks)s weeks",
                "%(num)s judged mentions in %(weeks)s weeks",
                known.judged,
                weeks=len(known.weeks),
            )
            context["known"][link.contact_id] = (known, weeks_svg(known.weeks, title))
    return page.show("mention.html", context)


@router.get("/{mention_id}/why")
def mention_why(page: PageDep, sessions: SessionsDep, mention_id: int) -> Response:
    """Show the words that carried a mention's judgement, or that they come in a moment."""
    try:
        found = why(sessions, page.state.settings, mention_id)
    except LoadingError:
        if page.request.headers.get("hx-target", "").startswith("why-waits"):
            # What waits stays as it is, and a screen reader does not say it again.
            return Response(status_code=204)
        context = {"mention_id": mention_id}
        if is_htmx(page.request):
            return render(page.request, "_why_waits.html", context)
        return page.show("why_waits.html", context)
    if is_htmx(page.request):
        return render(page.request, "_why.html", {"why": found})
    return page.show("why.html", {"why": found})


@router.post("/{mention_id}/correct")
def correct(
    request: Request,
    actor: CommunityManagerDep,
    mention_id: int,
    label: Annotated[Label, Form()],
) -> Response:
    """Say what a mention's label is."""
    actions.correct_label(actor, mention_id, label)
    said = gettext("It is %(label)s now; the scorer learns.", label=words(label))
    return back_to(request, f"/mentions/{mention_id}", said)


@router.post("/{mention_id}/undo-correction")
def undo_correction(request: Request, actor: CommunityManagerDep, mention_id: int) -> Response:
    """Give a mention back the label that the scorer gave it."""
    actions.undo_correction(actor, mention_id)
    said = gettext("The scorer's label holds again.")
    return back_to(request, f"/mentions/{mention_id}", said)


def _same(values: tuple[str, ...]) -> Options:
    return [(value, words(value)) for value in values]
