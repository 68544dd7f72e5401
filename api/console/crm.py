"""CRMs: how far each is, what its account allows, what did not arrive. For admins."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import crm_actions
from api.console.page import PageDep
from api.deps import AdminDep, AdminUserDep, StateDep
from api.language import gettext, ngettext
from api.pages import back_to
from crm_link.crm import crms_in
from crm_link.crm_status import budget_status, crm_status
from crm_link.outbox.dead_letters import dead_letters

router = APIRouter(prefix="/admin/crm")

PATH = "/admin/crm"


@router.get("")
def show_crms(_admin: AdminUserDep, page: PageDep, after: int = 0) -> Response:
    """Show each CRM, its budgets, and the dead letters with their reasons."""
    names = crms_in(page.state.settings.crm)
    dead = dead_letters(page.session, names, after=after)
    context = {
        "crms": crm_status(page.session, names),
        "budgets": budget_status(page.session, names, page.state.clock()),
        "letters": dead.letters,
        "after": dead.after,
    }
    return page.show("crm.html", context)


@router.post("/dead/retry")
def retry_all(request: Request, actor: AdminDep, state: StateDep) -> Response:
    """Let all dead letters be tried again."""
    count = crm_actions.retry_all(actor, crms_in(state.settings.crm))
    said = ngettext("%(num)s record is tried again.", "%(num)s records are tried again.", count)
    return back_to(request, PATH, said)


@router.post("/dead/{letter_id}/retry")
def retry_one(request: Request, actor: AdminDep, letter_id: int) -> Response:
    """Let a dead letter be tried again."""
    crm_actions.retry_one(actor, letter_id)
    return back_to(request, PATH, gettext("It is tried again."))


@router.post("/dead/{letter_id}/drop")
def drop_one(request: Request, actor: AdminDep, letter_id: int) -> Response:
    """Give a dead letter up."""
    crm_actions.drop_one(actor, letter_id)
    return back_to(request, PATH, gettext("It is dropped."))
