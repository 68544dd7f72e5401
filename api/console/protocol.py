"""The crisis protocol: the plan in words, its file edited with checks, its versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from api import escalating, protocol_editing
from api.console.page import Page, PageDep
from api.deps import PrLeadDep, State, StateDep, require_role
from api.held_files import HeldProtocolDep
from api.language import gettext
from api.models import Role
from api.pages import back_to, render
from api.protocol_words import condition_words, times_of
from config.durations import format_duration
from config.errors import NotFoundError
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.duty.readiness import read_readiness
from crm_link.escalation.protocol_parts.diff import diff_protocols
from crm_link.escalation.protocol_parts.file import Finding, inspect_protocol
from crm_link.escalation.protocol_parts.history import list_edits, read_version
from crm_link.mentions import get_brand, list_brands
from listener.models import Brand

router = APIRouter(prefix="/protocol")

#: Edits that are listed.
EDITS = 50

#: A value of a difference is cut to so many characters.
SHOWN_CHARS = 300

#: The longest text that a form may send; the file's own limit is in bytes.
MOST_CHARS = 1_000_000

Key = Annotated[str, Query(alias="brand", max_length=100)]
Text = Annotated[str, Form(max_length=MOST_CHARS)]
_lead = Depends(require_role(Role.PR_LEAD))


@router.get("")
def show(page: PageDep, key: Key = "") -> Response:
    """Show the plan that is in force: who is told when, what is done and what is said."""
    brands = [one for one in list_brands(page.session) if one.is_active]
    brand = _chosen(page, key, brands)
    if brand is None:
        return page.show("protocol.html", {"brand": None, "brands": brands})
    now = page.state.clock()
    rotations = escalating.rotations(page.session, brand.key, now, now + timedelta(hours=1))
    context = {
        "brand": brand,
        "brands": brands,
        "protocol": protocol_in_force(page.session, brand.id),
        "rotations": rotations,
        "readiness": next(iter(read_readiness(page.session, now, brand.id)), None),
        "edits": list_edits(page.session, brand.id, limit=EDITS),
        "file": protocol_editing.find_file(page.state, brand.key),
        "today": now.date(),
        "times_of": times_of,
        "condition_words": condition_words,
        "length": format_duration,
    }
    return page.show("protocol.html", context)


@router.get("/edit", dependencies=[_lead])
def edit(page: PageDep, key: Key) -> Response:
    """Show the file in a field, with what is to be said of it."""
    file, found = protocol_editing.open_file(page.session, page.state, key)
    context = {
        "brand": get_brand(page.session, key),
        "file": file,
        "text": found.text,
        "base": found.digest,
        "findings": _inspect(page.state, found.text),
    }
    return page.show("protocol_edit.html", context)


@router.post("/check", dependencies=[_lead])
def check(request: Request, state: StateDep, text: Text) -> Response:
    """Say what is to be said of a text; nothing is stored."""
    return render(request, "_protocol_findings.html", {"findings": _inspect(state, text)})


@router.post("")
def save(
    request: Request,
    held: HeldProtocolDep,
    actor: PrLeadDep,
    state: StateDep,
    brand: Annotated[str, Form(max_length=100)],
    text: Text,
    base: Annotated[str, Form(max_length=64)],
    why: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Put a text in the place of the file."""
    protocol_editing.save(actor, state, held, brand, text=text, base=base, why=why)
    notice = gettext("The protocol is saved. New incidents go by it; those that run keep theirs.")
    return back_to(request, f"/protocol?brand={brand}", notice)


@router.get("/versions/{edit_id}", dependencies=[_lead])
def version(page: PageDep, edit_id: int) -> Response:
    """Show what an edit changed, and the file as it was from then on."""
    brands = {one.key: one for one in list_brands(page.session)}
    edits = [one for one in list_edits(page.session, limit=10_000) if one.brand_key in brands]
    found = next((one for one in edits if one.id == edit_id), None)
    if found is None or found.version_id is None:
        raise NotFoundError("there is no whole version %(edit_id)s", edit_id=edit_id)
    before = next(
        (
            one
            for one in edits
            if one.id < edit_id and one.brand_key == found.brand_key and one.version_id
        ),
        None,
    )
    text, protocol = read_version(page.session, found.version_id)
    changes: list[dict[str, Any]] = []
    if before is not None and before.version_id is not None:
        for one in diff_protocols(read_version(page.session, before.version_id)[1], protocol):
            words = {"before": _short(one.before), "after": _short(one.after)}
            changes.append({"kind": one.kind, "place": one.place} | words)
    context = {
        "brand": brands[found.brand_key],
        "edit": found,
        "before": before,
        "changes": changes,
        "text": text,
    }
    return page.show("protocol_version.html", context)


def _chosen(page: Page, key: str, brands: list[Brand]) -> Brand | None:
    if key:
        return get_brand(page.session, key)
    return brands[0] if brands else None


def _inspect(state: State, text: str) -> list[Finding]:
    return inspect_protocol(text, state.clock().date())


def _short(value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"
