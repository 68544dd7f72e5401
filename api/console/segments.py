"""Segments: who speaks about a brand, who may leave, who may buy, whom many hear."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from api import actions
from api.console.filters import brand_options
from api.console.page import Page, PageDep
from api.deps import PrLeadDep
from api.figures import figures_now, figures_or_wait
from api.language import gettext
from api.pages import back_to
from config.errors import NotFoundError
from crm_link.board.tables import Table, as_csv
from crm_link.figures import audience
from crm_link.figures.counts import CHURN, KEPT, LEADS
from crm_link.figures.overview import DEFINITIONS
from crm_link.figures.reading import LONG_WAIT, Figures
from crm_link.figures.segment_people import (
    GROUPS,
    INFLUENTIAL,
    INFLUENTIAL_WORDS,
    names_of,
    scored_table,
    speakers_table,
)
from crm_link.figures.windows import AT_ONCE, DAYS, Window, last_days
from crm_link.mentions import get_brand
from listener.models import Brand

router = APIRouter(prefix="/people/segments")

#: People of each list on the page; a file has all that are kept.
SHOWN = 8

BrandQuery = Annotated[str, Query(max_length=100)]
DaysQuery = Annotated[int, Query(ge=1, le=366)]


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
        return page.show("segments.html", {"brand_options": [], "days": days})
    chosen = get_brand(page.session, brand or brands[0][0])
    shown: dict[str, Any] = {
        "brand_options": brands,
        "brand": chosen.key,
        "days": days,
        "days_options": sorted({*DAYS, days}),
        "group": group if group in GROUPS else GROUPS[0],
        "groups": GROUPS,
    }
    found = figures_or_wait(page.state, page.session, chosen.id, _window(page, days))
    if not isinstance(found, Figures):
        shown |= {
            "waits_since": found,
            "is_long": page.state.clock() - found > LONG_WAIT,
            "at_once": AT_ONCE,
        }
        return page.show("segments.html", shown)
    return page.show("segments.html", shown | _shown(page, found, chosen.id, shown["group"]))


def _shown(page: Page, found: Figures, brand_id: int, group: str) -> dict[str, Any]:
    social = found.social(most=SHOWN)
    median_s = social.median_first_answer_s
    return {
        "found": found,
        "figures": social,
        "people": found.speakers(group, limit=SHOWN),
        "names": names_of(page.session, [*social.leads, *social.churn]),
        "audience": found.audience(),
        "persona": audience.get_persona(page.session, brand_id),
        "definitions": dict(DEFINITIONS)
        | {INFLUENTIAL: INFLUENTIAL_WORDS, "audience": audience.DEFINITION},
        "first_answer": None if median_s is None else timedelta(seconds=median_s),
    }


@router.get("/{name}.csv")
def segment_csv(page: PageDep, name: str, brand: BrandQuery, days: DaysQuery = 30) -> Response:
    """Give the people of a list as CSV."""
    chosen = get_brand(page.session, brand)
    table = _table(page, chosen, days, name)
    file = f"{chosen.key.replace(':', '-')}-{name}-{days}d.csv"
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


def _window(page: Page, days: int) -> Window:
    return last_days(days, page.state.clock())


def _table(page: Page, brand: Brand, days: int, name: str) -> Table:
    if name not in {*GROUPS, LEADS, CHURN}:
        raise NotFoundError("there is no list '%(name)s'", name=name)
    found = figures_now(page.state, page.session, brand.id, _window(page, days))
    if name in GROUPS:
        return speakers_table(found.speakers(name, limit=KEPT))
    social = found.social(most=KEPT)
    people = social.leads if name == LEADS else social.churn
    return scored_table(people, names_of(page.session, people))


def _words(text: str) -> list[str]:
    return re.split(r"[,;\n]+", text)
