"""The JSON API, version 1."""

from __future__ import annotations

from fastapi import APIRouter

from api.routes import (
    account,
    acks,
    board,
    consents,
    contacts,
    crm,
    escalation,
    figures,
    flags,
    hooks,
    incidents,
    links,
    mentions,
    people,
    periodic,
    playbook,
    privacy,
    queries,
    replies,
    reports,
    signals,
    sources,
    teams,
    trends,
    users,
    why,
)
from api.schemas.base import ErrorOut

router = APIRouter(
    responses={
        401: {"model": ErrorOut, "description": "Not signed in, or the key is not valid."},
        403: {"model": ErrorOut, "description": "This needs another role."},
        422: {"model": ErrorOut, "description": "Something in the request is wrong."},
    }
)
for part in (mentions, flags, incidents, links, contacts, sources, trends, account, users):
    router.include_router(part.router)
for part in (acks, escalation, replies, signals):
    router.include_router(part.router)
router.include_router(reports.router)
router.include_router(playbook.router)
router.include_router(figures.router)
router.include_router(why.router)
router.include_router(people.router)
router.include_router(periodic.router)
router.include_router(teams.router)
router.include_router(crm.router)
router.include_router(hooks.router)
router.include_router(board.router)
router.include_router(consents.router)
router.include_router(privacy.router)
router.include_router(queries.router)
