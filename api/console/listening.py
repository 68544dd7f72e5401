"""Listening: brands and competitors with their queries; trying a query, and changing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import select

from api.console.page import PageDep
from api.console.source_edit import may_edit
from api.deps import AdminDep
from api.held_files import HeldBrandsDep
from api.language import gettext
from api.listening import save_query
from api.pages import back_to, is_htmx, render
from config.errors import NotFoundError
from crm_link.mentions import get_brand
from listener.coverage import SourceHealth, source_health
from listener.models import Brand
from listener.queries.check import QueryCheck, check_query
from listener.queries.preview import DAYS, PriceSettings, cost_of, preview_query

router = APIRouter(prefix="/listening")

QueryForm = Annotated[str, Form(max_length=20_000)]


@dataclass(frozen=True, slots=True)
class _Listened:
    """A brand or competitor with what is to be said about its query, and its sources."""

    brand: Brand
    check: QueryCheck
    sources: list[SourceHealth]
    competitor_of: str


@router.get("")
def listening(page: PageDep) -> Response:
    """List what is listened for."""
    brands = page.session.scalars(
        select(Brand).where(Brand.is_active, Brand.drill_of_id.is_(None)).order_by(Brand.key)
    ).all()
    names = {brand.id: brand.name for brand in brands}
    health = source_health(page.session, page.state.clock())
    found = [
        _Listened(
            brand,
            check_query(brand.query),
            [one for one in health if one.brand_key == brand.key],
            names.get(brand.competitor_of_id or 0, ""),
        )
        for brand in brands
    ]
    return page.show("listening.html", {"found": found, "may_edit": may_edit(page)})


@router.get("/{key}")
def query_page(page: PageDep, key: str) -> Response:
    """Show a brand's query with what it finds and costs."""
    brand = _watched(page, key)
    return page.show("query.html", _tried(page, brand, brand.query))


@router.post("/{key}/check")
def check(page: PageDep, key: str, query: QueryForm = "") -> Response:
    """Say what is wrong with a query, while it is typed."""
    brand = _watched(page, key)
    if not is_htmx(page.request):
        return page.show("query.html", _tried(page, brand, query))
    return render(page.request, "_query_check.html", {"check": check_query(query)})


@router.post("/{key}/try")
def try_query(page: PageDep, key: str, query: QueryForm = "") -> Response:
    """Show what a query would find and cost, without using it."""
    brand = _watched(page, key)
    return page.show("query.html", _tried(page, brand, query))


@router.post("/{key}")
def save(
    request: Request,
    held: HeldBrandsDep,
    actor: AdminDep,
    key: str,
    query: QueryForm = "",
    before: QueryForm = "",
) -> Response:
    """Write a query into brands.yaml and use it from now on."""
    save_query(actor, held, key, query.strip(), before=before)
    notice = gettext("The query is used from now on; its sources look back one day.")
    return back_to(request, f"/listening/{key}", notice)


def _watched(page: PageDep, key: str) -> Brand:
    brand = get_brand(page.session, key)
    if not brand.is_active or brand.drill_of_id is not None:
        raise NotFoundError("there is no brand '%(key)s'", key=key)
    return brand


def _tried(page: PageDep, brand: Brand, text: str) -> dict[str, object]:
    found = check_query(text)
    now = page.state.clock()
    preview, costs = None, []
    if found.query is not None:
        preview = preview_query(page.session, brand, found.query, now)
        costs = cost_of(page.session, brand, found.query, now, preview=preview)
    return {
        "brand": brand,
        "text": text,
        "check": found,
        "preview": preview,
        "costs": costs,
        "days": DAYS,
        "prices": PriceSettings(),
        "path": page.state.settings.brands_path(),
        "may_save": may_edit(page),
    }
