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
    posting,
    privacy,
    queries,
    replies,
    report_files,
    reports,
    signals,
    source_edit,
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
for part in (
    mentions,
    flags,
    incidents,
    links,
    contacts,
    source_edit,
    sources,
    trends,
    account,
    users,
    acks,
    escalation,
    replies,
    posting,
    signals,
    reports,
    playbook,
    figures,
    why,
    people,
    periodic,
    report_files,
    teams,
    crm,
    hooks,
    board,
    consents,
    privacy,
    queries,
):
    router.include_router(part.router)
