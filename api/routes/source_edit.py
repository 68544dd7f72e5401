"""Sources in brands.yaml: added, changed and taken out, and read now."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query

from api.deps import AdminDep, PrLeadDep, SessionDep, StateDep, get_user, require_role
from api.held_files import HeldBrandsDep
from api.listening import drop_source, read_soon, save_source
from api.models import Role
from api.schemas.listening import BrandOut, SourceIn, SourceVersionIn, WrittenSourceOut
from config.durations import format_duration
from crm_link.mentions import get_brand
from listener.brands_edit import read_source

router = APIRouter(tags=["sources"], dependencies=[Depends(get_user)])

Name = Annotated[str, Path(max_length=200)]


@router.get("/brands/{key}/sources/{name}", dependencies=[Depends(require_role(Role.ADMIN))])
def read(session: SessionDep, state: StateDep, key: str, name: Name) -> WrittenSourceOut:
    """Return a source as brands.yaml has it, with the version that a change must name."""
    get_brand(session, key)
    written = read_source(state.settings.brands_path(), key, name)
    entry = written.entry
    return WrittenSourceOut(
        platform=entry.platform,
        name=entry.key,
        every=format_duration(entry.every),
        options=entry.options,
        version=written.version,
    )


@router.post("/brands/{key}/sources", status_code=201)
def add(
    held: HeldBrandsDep, actor: AdminDep, key: str, body: Annotated[SourceIn, Body()]
) -> BrandOut:
    """Write a new source into brands.yaml and use it from now on."""
    return BrandOut.model_validate(save_source(actor, held, key, _entry(body)))


@router.put("/brands/{key}/sources/{name}")
def change(
    held: HeldBrandsDep,
    actor: AdminDep,
    key: str,
    name: Name,
    body: Annotated[SourceVersionIn, Body()],
) -> BrandOut:
    """Put a source in the place of another; 409 if that has another version by now."""
    brand = save_source(actor, held, key, _entry(body), name=name, version=body.version)
    return BrandOut.model_validate(brand)


@router.delete("/brands/{key}/sources/{name}")
def remove(
    held: HeldBrandsDep,
    actor: AdminDep,
    key: str,
    name: Name,
    version: Annotated[str, Query(max_length=40)] = "",
) -> BrandOut:
    """Take a source out of brands.yaml; what it brought stays."""
    return BrandOut.model_validate(drop_source(actor, held, key, name, version=version))


@router.post("/sources/{source_id}/read", status_code=202)
def read_now(actor: PrLeadDep, source_id: int) -> dict[str, int]:
    """Let a source be read at the worker's next look."""
    return {"source_id": read_soon(actor, source_id).id}


def _entry(body: SourceIn) -> dict[str, Any]:
    own = {"platform": body.platform, "name": body.name, "every": body.every}
    return {**{key: value for key, value in own.items() if value}, **body.options}
