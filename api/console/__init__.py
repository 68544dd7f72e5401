"""The console: pages for people, rendered here and livened up by htmx."""

from __future__ import annotations

from fastapi import APIRouter

from api.console import (
    account,
    board,
    incidents,
    links,
    mentions,
    queue,
    sign_in,
    sources,
    users,
)

router = APIRouter()
for part in (sign_in, queue, mentions, incidents, board, links, sources, users, account):
    router.include_router(part.router)
