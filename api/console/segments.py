"""Segments: who speaks about a brand, who may leave, who may buy, whom many hear."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from api import actions
from api.console.filters import brand_options
from api.console.page import Page, PageDep
from api.deps import PrLeadDep
from api.language import gettext
from api.pages import back_to
from config.errors import NotFoundError
from crm_link import audience
from crm_link.board_tables import Table, as_csv
from crm_link.figures import DEFINITIONS, SocialFigures, social_figures
from crm_link.mentions import get_brand
from crm_link.segment_people import (
    GROUPS,
    INFLUENTIAL,
    INFLUENTIAL_WORDS,
    list_speakers,
    names_of,
    scored_table,
    speakers_table,
)
from listener.models import Brand

router = APIRouter(prefix="/people/segments")

#: Days that a window may have.
DAYS = (7, 30, 90)

#: People of each list on the page, and in a file.
SHOWN, IN_FILE = 8, 1000

BrandQuery = Annotated[str, Query(max_length=100)]
DaysQuery = Annotated[int, Query(ge=1, le=366)]


@dataclass(frozen=True, slots=True)
class _Window:
    brand: Brand
    since: datetime
    until: datetime


@router.get("")
def segments(
    page: PageDep,
    brand: BrandQuery = "",
    days: DaysQuery = 30,
    group: Annotated[str, Query(max_length=20)] = "detractor",
) -> Response:
    """Show a brand's people in groups, each with its definition."""
    brands = brand_options(page.session)
    if not brands:
        return page.show("segments.html", {"brand_options": [], "figures": None, "days": days})
    window = _window(page, brand or brands[0][0], days)
    found = _figures(page, window, SHOWN)
    chosen = group if group in GROUPS else GROUPS[0]
    return page.show(
        "segments.html",
        {
            "brand_options": brands,
            "brand": window.brand.key,
            "days": days,
            "days_options": DAYS,
            "figures": found,
            "group": chosen,
            "groups": GROUPS,
            "people": list_speakers(
                page.session, window.brand.id, window.since, window.until, chosen, limit=SHOWN
            ),
            "names": names_of(page.session, [*found.leads, *found.churn]),
            "audience": audience.read_audience(
                page.session, window.brand.id, window.since, window.until
            ),
            "persona": audience.get_persona(page.session, window.brand.id),
            "definitions": dict(DEFINITIONS)
            | {INFLUENTIAL: INFLUENTIAL_WORDS, "audience": audience.DEFINITION},
            "first_answer": None
            if found.median_first_answer_s is None
            else timedelta(seconds=found.median_first_answer_s),
        },
    )


@router.get("/{name}.csv")
def segment_csv(page: PageDep, name: str, brand: BrandQuery, days: DaysQuery = 30) -> Response:
    """Give the people of a list as CSV."""
    window = _window(page, brand, days)
    table = _table(page, window, name)
    file = f"{window.brand.key.replace(':', '-')}-{name}-{days}d.csv"
    return Response(
        as_csv(table),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


@router.post("/persona")
def persona(
    request: Request,
    actor: PrLeadDep,
    brand: Annotated[str, Form(max_length=100)],
    languages: Annotated[str, Form(max_length=2000)] = "",
    places: Annotated[str, Form(max_length=2000)] = "",
    interests: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Store whom a brand wants to speak with."""
    actions.write_persona(
        actor,
        brand,
        languages=_words(languages),
        places=_words(places),
        interests=_words(interests),
    )
    return back_to(
        request, f"/people/segments?brand={brand}", gettext("The target persona is stored.")
    )


def _window(page: Page, brand: str, days: int) -> _Window:
    until = page.state.clock()
    return _Window(get_brand(page.session, brand), until - timedelta(days=days), until)


def _figures(page: Page, window: _Window, most: int) -> SocialFigures:
    return social_figures(page.session, window.brand.id, window.since, window.until, most=most)


def _table(page: Page, window: _Window, name: str) -> Table:
    if name in GROUPS:
        return speakers_table(
            list_speakers(
                page.session, window.brand.id, window.since, window.until, name, limit=IN_FILE
            )
        )
    if name in {"leads", "churn"}:
        found = _figures(page, window, IN_FILE)
        people = found.leads if name == "leads" else found.churn
        return scored_table(people, names_of(page.session, people))
    raise NotFoundError("there is no list '%(name)s'", name=name)


def _words(text: str) -> list[str]:
    return re.split(r"[,;\n]+", text)
