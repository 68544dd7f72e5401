"""The CRMs: how far each is, and write-backs that did not arrive. For admins."""

from __future__ import annotations

from fastapi import APIRouter

from api import crm_actions
from api.deps import AdminDep, AdminUserDep, SessionDep, StateDep
from api.paging import CursorQuery, LimitQuery, Page, decode_id, encode_cursor
from api.schemas.crm import BudgetOut, CrmsOut, CrmStatusOut, DeadLetterOut, RetriedOut
from crm_link.crm import crms_in
from crm_link.crm_status import budget_status, crm_status
from crm_link.outbox.dead_letters import dead_letters

router = APIRouter(prefix="/crm", tags=["contacts"])


@router.get("")
def read_crms(_admin: AdminUserDep, session: SessionDep, state: StateDep) -> CrmsOut:
    """Return how far each CRM is, and what is left of its account's limits."""
    names = crms_in(state.settings.crm)
    return CrmsOut(
        crms=[CrmStatusOut.model_validate(one) for one in crm_status(session, names)],
        budgets=[
            BudgetOut.model_validate(one) for one in budget_status(session, names, state.clock())
        ],
    )


@router.get("/dead")
def read_dead(
    _admin: AdminUserDep,
    session: SessionDep,
    state: StateDep,
    cursor: CursorQuery = "",
    limit: LimitQuery = 25,
) -> Page[DeadLetterOut]:
    """List write-backs that were given up, oldest first, with the reason in words."""
    names = crms_in(state.settings.crm)
    page = dead_letters(session, names, after=decode_id(cursor) or 0, limit=limit)
    return Page(
        items=[DeadLetterOut.model_validate(one) for one in page.letters],
        next_cursor=encode_cursor(page.after) if page.after else None,
    )


@router.post("/dead/retry")
def retry_all(actor: AdminDep, state: StateDep) -> RetriedOut:
    """Let all of them be tried again."""
    return RetriedOut(retried=crm_actions.retry_all(actor, crms_in(state.settings.crm)))


@router.post("/dead/{letter_id}/retry", status_code=204)
def retry_one(actor: AdminDep, letter_id: int) -> None:
    """Let one be tried again. Answers 409 if it is not dead."""
    crm_actions.retry_one(actor, letter_id)


@router.post("/dead/{letter_id}/drop", status_code=204)
def drop_one(actor: AdminDep, letter_id: int) -> None:
    """Give one up: written again when something about it changes. 409 if it is not dead."""
    crm_actions.drop_one(actor, letter_id)
