"""Webhooks from CRMs: "look again at these contacts".

Nobody signs in here: each request is signed by its sender. What is not signed right, or too old,
is answered 401; what came already, 409.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from api.deps import SessionDep, StateDep
from api.errors import SignInRequiredError
from config.errors import InputError, NotFoundError
from crm_link.crm import crms_in
from crm_link.hook import HookError, HookRequest, make_hook
from crm_link.hook_notices import take_notices

router = APIRouter(prefix="/hooks", tags=["contacts"])

#: A request may be so long.
MAX_BODY_BYTES = 1_000_000


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise InputError(f"a webhook is at most {MAX_BODY_BYTES:,} bytes long")
    return body


class HeardOut(BaseModel):
    """How many contacts are looked at again."""

    contacts: int


@router.post("/{crm}")
def take_hook(
    crm: str,
    request: Request,
    session: SessionDep,
    state: StateDep,
    body: Annotated[bytes, Depends(_body)],
) -> HeardOut:
    """Take a signed webhook of a CRM of GROUNDSWELL_CRM, such as hubspot:emea."""
    if crm not in crms_in(state.settings.crm):
        raise NotFoundError("there is no such CRM")
    url = state.settings.resolved_public_url().rstrip("/") + request.url.path
    if request.url.query:
        url += f"?{request.url.query}"
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = HookRequest(request.method, url, headers, body)
    now = state.clock()
    try:
        notices = make_hook(crm).read(asked, now)
    except HookError as error:
        raise SignInRequiredError(str(error)) from error
    return HeardOut(contacts=take_notices(session, crm, asked, notices, now=now))
