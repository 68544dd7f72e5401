"""What people do in the queue: to one mention, to those chosen, to all of a filter; and undo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form
from fastapi.responses import Response

from api import queue_actions
from api.console.page import Page, PageDep
from api.console.queue import around
from api.deps import Actor, AnybodyDep, CommunityManagerDep
from api.formats import query
from api.language import gettext, ngettext, told
from api.pages import back_to, is_htmx
from api.schemas.queue import FilterIn
from api.security import HOME, safe_next
from config.clock import to_utc
from config.errors import InputError, NotFoundError
from crm_link.flags.acts import Act, Change, Changed
from crm_link.flags.queue import get_flags
from crm_link.types import Priority
from sentiment.types import Label

router = APIRouter()

#: Cards that are sent back one by one; after an action on more, the page comes anew.
MOST_CARDS = 50

#: Where a form without script leads to afterwards.
Next = Annotated[str, Form(max_length=2000, alias="next")]


@router.post("/queue/changes")
def change(
    page: PageDep,
    actor: CommunityManagerDep,
    act: Annotated[Act, Form()],
    ids: Annotated[list[int] | None, Form()] = None,
    seen: Annotated[list[str] | None, Form(description="`id:version` of each.")] = None,
    all_of: Annotated[str, Form(max_length=2000, description="The filters, as a query.")] = "",
    assignee: Annotated[str, Form(max_length=320)] = "",
    minutes: Annotated[int | None, Form(ge=0)] = None,
    until: Annotated[str, Form(max_length=40)] = "",
    label: Annotated[Label | None, Form()] = None,
    priority: Annotated[Priority | None, Form()] = None,
    note: Annotated[str, Form(max_length=2000)] = "",
    closes: Annotated[bool, Form()] = False,  # noqa: FBT002 - a field of a form
    contact_id: Annotated[int | None, Form()] = None,
    expected: Annotated[bool, Form()] = False,  # noqa: FBT002 - a field of a form
    incident_id: Annotated[int | None, Form()] = None,
    severity: Annotated[str, Form(max_length=20)] = "",
    target: Next = "",
) -> Response:
    """Do something to the chosen mentions, or to all that the filters find."""
    made = Change(
        act,
        assignee=(actor.name if assignee == "me" else assignee) or None,
        until=_until(minutes, until, actor) if act is Act.SNOOZE else None,
        label=label,
        priority=priority,
        note=note,
        closes=closes,
        contact_id=contact_id,
        is_expected=expected,
        incident_id=incident_id,
        severity=severity,
    )
    if all_of:
        wanted = FilterIn.model_validate(dict(parse_qsl(all_of.removeprefix("?"))))
        done = queue_actions.change_all(actor, made, wanted.filter(actor.name))
    else:
        done = queue_actions.change(actor, made, ids or [], seen=_versions(seen or []))
    return _answer(
        page, actor, done, _says(made, len(done.events)), target, can_undo=act is not Act.ESCALATE
    )


@router.post("/queue/changes/{batch}/undo")
def undo(page: PageDep, actor: CommunityManagerDep, batch: str, target: Next = "") -> Response:
    """Take an action back."""
    done = queue_actions.undo(actor, batch)
    return _answer(page, actor, done, gettext("Undone."), target, can_undo=False)


@router.post("/queue/views")
def save_view(
    page: PageDep,
    actor: AnybodyDep,
    name: Annotated[str, Form(max_length=60)],
    filters: Annotated[str, Form(max_length=2000)] = "",
    is_shared: Annotated[bool, Form()] = False,  # noqa: FBT002 - a field of a form
    is_default: Annotated[bool, Form()] = False,  # noqa: FBT002 - a field of a form
) -> Response:
    """Keep the filters of the queue under a name."""
    asked = FilterIn.model_validate(dict(parse_qsl(filters.removeprefix("?"))))
    view = queue_actions.save_view(
        actor, name, asked.model_dump(), is_shared=is_shared, is_default=is_default
    )
    path = f"/queue?{query(view.filters or {'state': 'open'})}"
    return back_to(page.request, path, gettext("The view “%(name)s” is saved.", name=view.name))


@router.post("/queue/views/{view_id}/remove")
def remove_view(page: PageDep, actor: AnybodyDep, view_id: int) -> Response:
    """Remove one of the reader's views."""
    view = queue_actions.remove_view(actor, view_id)
    notice = gettext("The view “%(name)s” is removed.", name=view.name)
    return back_to(page.request, "/queue?state=open", notice)


@router.post("/mentions/{mention_id}/priority")
def correct_priority(
    page: PageDep,
    actor: CommunityManagerDep,
    mention_id: int,
    priority: Annotated[Priority, Form()],
) -> Response:
    """Say what a mention asks for, whether it is in the queue or not."""
    try:
        queue_actions.change(actor, Change(Act.PRIORITY, priority=priority), [mention_id])
    except NotFoundError:
        queue_actions.correct_priority(actor, mention_id, priority)
    notice = gettext("Its priority is %(name)s now.", name=gettext(priority))
    return back_to(page.request, f"/mentions/{mention_id}", notice)


def _answer(
    page: Page,
    actor: Actor,
    done: Changed,
    text: str,
    target: str,
    *,
    can_undo: bool,
) -> Response:
    said = {
        "text": text,
        "batch": done.batch if can_undo else "",
        "left": [told(why) for why in done.left.values()],
        "incidents": sorted(queue_actions.incidents_of(done)),
    }
    if not is_htmx(page.request):
        page.request.session["undo"] = said
        return back_to(page.request, safe_next(target) if target else HOME)
    if len(done.events) > MOST_CARDS:
        page.request.session["undo"] = said | {"left": said["left"][:3]}
        return Response(headers={"HX-Refresh": "true"})
    flags = list(get_flags(actor.session, list(done.events)).values())
    return page.show("_changed.html", {"undo": said, "flags": flags, **around(page, flags)})


def _versions(seen: Sequence[str]) -> dict[int, int]:
    """Return the versions that the form saw, by mention."""
    try:
        pairs = [one.split(":") for one in seen]
        return {int(mention_id): int(version) for mention_id, version in pairs}
    except ValueError as error:
        raise InputError("this form is not ours; load the page again") from error


def _until(minutes: int | None, until: str, actor: Actor) -> datetime | None:
    """Return when a snoozed mention comes back; None: now."""
    if minutes:
        return actor.clock() + timedelta(minutes=minutes)
    if not until:
        return None
    try:
        return to_utc(datetime.fromisoformat(until))
    except ValueError as error:
        raise InputError("say a date and a time until which it is snoozed") from error


def _says(change: Change, number: int) -> str:
    """Return what was done, in words."""
    what = {
        Act.DONE: gettext("Done"),
        Act.DISMISS: gettext("Dismissed"),
        Act.REOPEN: gettext("Back in the queue"),
        Act.ASSIGN: gettext("Assigned") if change.assignee else gettext("Let go"),
        Act.SNOOZE: gettext("Snoozed") if change.until else gettext("Woken"),
        Act.ANSWER: gettext("Answered"),
        Act.LABEL: gettext("Sentiment corrected, and the scorer learns"),
        Act.PRIORITY: gettext("Priority corrected"),
        Act.LINK: gettext("Linked"),
        Act.UNLINK: gettext("Unlinked"),
        Act.ESCALATE: gettext("Escalated"),
    }
    mentions = ngettext("%(num)s mention", "%(num)s mentions", number)
    return f"{what[change.act]}: {mentions}"
