"""Queries: what is to be said about one, what it would find and cost, and changing it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends

from api.deps import AdminDep, SessionDep, StateDep, get_user
from api.held_files import HeldBrandsDep
from api.listening import save_query
from api.schemas.listening import BrandOut
from api.schemas.queries import QueryCheckOut, QueryIn, QueryPreviewOut, QuerySaveIn
from config.errors import InputError
from crm_link.mentions import get_brand
from listener.queries.check import check_query
from listener.queries.preview import cost_of, preview_query

router = APIRouter(prefix="/brands/{key}/query", tags=["sources"], dependencies=[Depends(get_user)])


@router.post("/check")
def check(session: SessionDep, key: str, body: Annotated[QueryIn, Body()]) -> QueryCheckOut:
    """Say what is wrong with a query, and what each platform is asked; nothing is stored."""
    get_brand(session, key)
    return QueryCheckOut.model_validate(check_query(body.query))


@router.post("/preview")
def preview(
    session: SessionDep, state: StateDep, key: str, body: Annotated[QueryIn, Body()]
) -> QueryPreviewOut:
    """Return what a query would have found in what is stored, and what it would cost a day."""
    brand = get_brand(session, key)
    found = check_query(body.query)
    if found.query is None:
        raise InputError(found.problem)
    now = state.clock()
    shown = preview_query(session, brand, found.query, now)
    costs = cost_of(session, brand, found.query, now, preview=shown)
    return QueryPreviewOut.model_validate({"preview": shown, "costs": costs})


@router.put("")
def save(
    held: HeldBrandsDep, actor: AdminDep, key: str, body: Annotated[QuerySaveIn, Body()]
) -> BrandOut:
    """Write a query into brands.yaml and use it; 409 if it is not `before` any more."""
    return BrandOut.model_validate(save_query(actor, held, key, body.query, before=body.before))
