"""Replies that are posted: the page of those that wait, and what people do with each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import Response

from api import reply_actions
from api.console.page import Page, PageDep
from api.console.queue import around
from api.deps import Actor, CommunityManagerDep, PrLeadDep
from api.language import gettext
from api.models import Role
from api.pages import back_to, is_htmx, render
from api.reply_pages import reply_page
from api.reply_words import refusal_says, refusal_words, reply_act, reply_state
from api.security import safe_next
from api.users import list_users
from config.errors import InputError
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.protocol_parts.replies import Approval
from crm_link.flags.queue import get_flag, get_flags
from crm_link.mention_class import by_protocol
from crm_link.replying import lists
from crm_link.replying.checks import length_of
from crm_link.replying.events import events_of_reply
from crm_link.replying.models import LIVE, Reply, ReplyState
from listener.models import Mention
from listener.replier import find_replier, is_set_up

router = APIRouter()

Text = Annotated[str, Form(max_length=40_000)]
Version = Annotated[int, Form(ge=1)]
Next = Annotated[str, Form(max_length=2000, alias="next")]
Yes = Annotated[bool, Form()]


@dataclass(frozen=True, slots=True)
class Posting:
    """How a mention's platform can be answered from here.

    Args:
        most: How long a reply may be, as the platform counts.
        approval: Who must approve.
        is_shown_only: Nothing is posted: a drill, a trial or the demo.
        may_own: Whether admins may approve what they wrote.

    """

    most: int
    approval: Approval
    is_shown_only: bool
    may_own: bool


def posting_of(page: Page, mention: Mention) -> Posting | None:
    """Return how a mention is answered from here; None: its page is opened."""
    kind = find_replier(mention.platform)
    if kind is None or mention.deleted_at is not None:
        return None
    replies = protocol_in_force(page.session, mention.brand_id).replies
    is_shown_only = not page.state.settings.posts_replies or mention.brand.drill_of_id is not None
    account = replies.accounts.get(mention.platform, "")
    if not (is_shown_only or is_set_up(mention.platform, account)):
        return None
    return Posting(kind.max_length, replies.approval, is_shown_only, replies.own_by_admin)


def reply_context(page: Page) -> Mapping[str, Any]:
    """Return what pages need to show a reply."""
    protocols: dict[int, bool] = {}

    def may_approve(reply: Reply) -> bool:
        if page.user.email not in reply.writers:
            return True
        if reply.brand_id not in protocols:
            rules = protocol_in_force(page.session, reply.brand_id).replies
            protocols[reply.brand_id] = rules.own_by_admin
        return page.user.role is Role.ADMIN and protocols[reply.brand_id]

    return {
        "reply_state": reply_state,
        "refusal_words": refusal_words,
        "refusal_says": refusal_says,
        "reply_act": reply_act,
        "reply_length": lambda reply: length_of(reply.platform, reply.text),
        "reply_events": lambda reply: events_of_reply(page.session, reply.id),
        "may_approve": may_approve,
        "states": ReplyState,
        "approvals": Approval,
    }


@router.get("/queue/{mention_id}/reply")
def compose(page: PageDep, mention_id: int) -> Response:
    """Show what could be answered, and where; or the reply that is on its way."""
    flag = get_flag(page.session, mention_id)
    answer = by_protocol(page.session, flag.mention).answer
    shown = around(page, [flag])
    context = {
        "flag": flag,
        "answer": answer,
        "reply_page": reply_page(flag.mention, answer.answer if answer else ""),
        "reply": shown["replies"].get(mention_id),
        "posting": posting_of(page, flag.mention),
        **reply_context(page),
        **shown,
    }
    return page.show("_reply.html", context)


@router.get("/replies")
def replies(page: PageDep) -> Response:
    """Show the replies that wait for people, those on their way, and the last ones."""
    found = lists.list_replies(page.session, LIVE, limit=200).replies
    users = list_users(page.session)
    return page.show(
        "replies.html",
        {
            "waiting": [one for one in found if one.state is ReplyState.WAITING],
            "undecided": [one for one in found if _needs_a_person(one)],
            "under_way": [
                one
                for one in found
                if one.state is not ReplyState.WAITING and not _needs_a_person(one)
            ],
            "over": lists.newest_over(page.session),
            "failing": lists.failing_accounts(page.session),
            "names": {user.email: user.name for user in users},
            **reply_context(page),
        },
    )


@router.post("/replies/length")
def measure(
    page: PageDep,
    actor: CommunityManagerDep,
    platform: Annotated[str, Form(max_length=40)],
    text: Text = "",
) -> Response:
    """Say how long the platform finds what is typed; nothing is kept."""
    del actor
    return render(page.request, "_reply_length.html", {"length": length_of(platform, text)})


@router.post("/mentions/{mention_id}/replies")
def write(
    page: PageDep,
    actor: CommunityManagerDep,
    mention_id: int,
    text: Text = "",
    closes: Yes = False,  # noqa: FBT002 - a field of a form
    target: Next = "",
) -> Response:
    """Write a reply and ask for its approval."""
    reply = reply_actions.write(actor, page.state, mention_id, text, closes=closes)
    return _answer(page, actor, reply, target)


@router.post("/replies/{reply_id}/edit")
def edit(
    page: PageDep,
    actor: CommunityManagerDep,
    reply_id: int,
    version: Version,
    text: Text = "",
    target: Next = "",
) -> Response:
    """Write a reply anew."""
    reply = reply_actions.edit(actor, page.state, reply_id, text, version=version)
    return _answer(page, actor, reply, target)


@router.post("/replies/{reply_id}/approve")
def approve(
    page: PageDep, actor: PrLeadDep, reply_id: int, version: Version, target: Next = ""
) -> Response:
    """Let a reply go out."""
    reply = reply_actions.approve(actor, page.state, reply_id, version=version)
    return _answer(page, actor, reply, target)


@router.post("/replies/{reply_id}/send-back")
def send_back(
    page: PageDep,
    actor: PrLeadDep,
    reply_id: int,
    version: Version,
    why: Annotated[str, Form(max_length=2000)] = "",
    target: Next = "",
) -> Response:
    """Give a reply back to whoever wrote it."""
    reply = reply_actions.send_back(actor, reply_id, why, version=version)
    return _answer(page, actor, reply, target)


@router.post("/replies/{reply_id}/cancel")
def cancel(
    page: PageDep, actor: CommunityManagerDep, reply_id: int, version: Version, target: Next = ""
) -> Response:
    """Give a reply up before it went out."""
    reply = reply_actions.cancel(actor, reply_id, version=version)
    return _answer(page, actor, reply, target)


@router.post("/replies/{reply_id}/retry")
def retry(
    page: PageDep, actor: CommunityManagerDep, reply_id: int, version: Version, target: Next = ""
) -> Response:
    """Post what did not go out again."""
    reply = reply_actions.retry(actor, page.state, reply_id, version=version)
    return _answer(page, actor, reply, target)


@router.post("/replies/{reply_id}/settle")
def settle(
    page: PageDep,
    actor: CommunityManagerDep,
    reply_id: int,
    version: Version,
    is_there: Annotated[bool | None, Form()] = None,
    url: Annotated[str, Form(max_length=2000)] = "",
    target: Next = "",
) -> Response:
    """Say of a reply in doubt whether it is there."""
    if is_there is None:
        raise InputError("say whether the reply is there")
    reply = reply_actions.settle(actor, reply_id, is_there=is_there, url=url, version=version)
    return _answer(page, actor, reply, target)


def _needs_a_person(reply: Reply) -> bool:
    is_left = reply.state is ReplyState.IN_DOUBT and reply.next_attempt_at is None
    return is_left or reply.state in {ReplyState.FAILED, ReplyState.SENT_BACK}


def _answer(page: Page, actor: Actor, reply: Reply, target: str) -> Response:
    said = _says(reply, actor)
    if not is_htmx(page.request):
        return back_to(page.request, safe_next(target) if target else "/replies", said)
    flags = list(get_flags(actor.session, [reply.mention_id]).values())
    context = {"undo": {"text": said, "batch": "", "left": []}, "flags": flags}
    return page.show("_changed.html", {**context, **around(page, flags)})


def _says(reply: Reply, actor: Actor) -> str:
    """Return what becomes of a reply now."""
    words = {
        ReplyState.WAITING: gettext("Asked: somebody else approves it before it goes out."),
        ReplyState.SENT_BACK: gettext("Sent back to whoever wrote it."),
        ReplyState.POSTED: gettext("Noted: the reply is there."),
        ReplyState.REHEARSED: gettext("Shown as it would go; nothing was posted."),
        ReplyState.CANCELLED: gettext("Cancelled; nothing goes out."),
    }
    if reply.state is ReplyState.APPROVED and reply.next_attempt_at is not None:
        seconds = max(round((reply.next_attempt_at - actor.clock()).total_seconds()), 0)
        return gettext(
            "It goes out in %(number)s s; until then it can be cancelled.", number=seconds
        )
    return words.get(reply.state, "")
