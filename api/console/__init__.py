"""The console: pages for people, rendered here and livened up by htmx."""

from __future__ import annotations

from fastapi import APIRouter

from api.console import (
    account,
    acks,
    api_keys,
    audit,
    board,
    consents,
    crm,
    drills,
    events,
    incidents,
    links,
    listening,
    mentions,
    on_call,
    people,
    periodic,
    playbook,
    privacy,
    protocol,
    queue,
    queue_work,
    reports,
    segments,
    shared,
    sign_in,
    silences,
    sources,
    sso,
    system,
    teams,
    users,
    why,
)

router = APIRouter()
for part in (sign_in, queue, mentions, incidents, board, links, sources, users, account):
    router.include_router(part.router)
for part in (acks, on_call, silences):
    router.include_router(part.router)
for part in (drills, reports):
    router.include_router(part.router)
router.include_router(playbook.router)
router.include_router(why.router)
router.include_router(events.router)
router.include_router(periodic.router)
router.include_router(segments.router)
router.include_router(people.router)
router.include_router(teams.router)
router.include_router(crm.router)
for part in (teams, api_keys, audit, system):
    router.include_router(part.router)
router.include_router(sso.router)
router.include_router(consents.router)
router.include_router(privacy.router)
router.include_router(shared.router)
router.include_router(protocol.router)
router.include_router(queue_work.router)
router.include_router(listening.router)
