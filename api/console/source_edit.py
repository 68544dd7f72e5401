"""Sources in brands.yaml: added, changed and taken out, and read now."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from api.console.page import Page, PageDep
from api.deps import AdminDep, AdminUserDep, PrLeadDep
from api.held_files import HeldBrandsDep
from api.language import gettext
from api.listening import drop_source, read_soon, save_source
from api.models import Role
from api.pages import back_to
from api.source_forms import check_source, option_fields, read_options
from config.durations import format_duration
from crm_link.mentions import get_brand
from listener.brands_edit import read_source
from listener.brands_file import DEFAULT_EVERY
from listener.collector import collector_names

router = APIRouter()


def may_edit(page: Page) -> bool:
    """Say whether who looks may change brands.yaml, and this console can write it."""
    return page.user.role is Role.ADMIN and page.state.settings.brands_path().is_file()


Name = Annotated[str, Query(max_length=200)]
NameForm = Annotated[str, Form(max_length=200)]
Short = Annotated[str, Form(max_length=40)]


@router.get("/listening/{key}/source")
def source_form(
    page: PageDep,
    _admin: AdminUserDep,
    key: str,
    name: Name = "",
    platform: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show the form of a source: one that is there, or a new one on a platform."""
    brand = get_brand(page.session, key)
    values: dict[str, Any] = {"platform": platform, "name": "", "version": ""}
    values["every"] = format_duration(DEFAULT_EVERY)
    options: dict[str, Any] = {}
    if name:
        written = read_source(page.state.settings.brands_path(), key, name)
        entry, options = written.entry, written.entry.options
        values = {
            "platform": entry.platform,
            "name": entry.key,
            "version": written.version,
            "every": format_duration(entry.every),
        }
    chosen = str(values["platform"])
    return page.show(
        "source.html",
        {
            "brand": brand,
            "before": name,
            "values": values,
            "platforms": collector_names(),
            "fields": option_fields(chosen, options) if chosen else [],
        },
    )


async def _filled_in(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.form()).items()}


@router.post("/listening/{key}/source")
def save(
    request: Request,
    held: HeldBrandsDep,
    actor: AdminDep,
    key: str,
    form: Annotated[dict[str, str], Depends(_filled_in)],
) -> Response:
    """Write a source into brands.yaml and use it from now on."""
    platform, name = form.get("platform", ""), form.get("name", "").strip()
    filled = {"platform": platform, "name": name, "every": form.get("every", "").strip()}
    source = {part: text for part, text in filled.items() if text} | read_options(platform, form)
    check_source(platform, source)
    save_source(
        actor,
        held,
        key,
        source,
        name=form.get("before", ""),
        version=form.get("version", ""),
    )
    return back_to(request, "/sources", gettext("The source is read from now on."))


@router.post("/listening/{key}/source/remove")
def remove(
    request: Request,
    held: HeldBrandsDep,
    actor: AdminDep,
    key: str,
    before: NameForm = "",
    version: Short = "",
) -> Response:
    """Take a source out of brands.yaml."""
    drop_source(actor, held, key, before, version=version)
    notice = gettext("%(name)s is not read any more; what it brought stays.", name=before)
    return back_to(request, "/sources", notice)


@router.post("/sources/{source_id}/read")
def read_now(request: Request, actor: PrLeadDep, source_id: int) -> Response:
    """Let a source be read at the worker's next look."""
    source = read_soon(actor, source_id)
    notice = gettext("%(name)s is read in a moment.", name=source.name)
    return back_to(request, "/sources", notice)
