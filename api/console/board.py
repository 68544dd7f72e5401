"""The brand board: what was said in a period, how it was meant, where, and by how much."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.console.filters import brand_options
from api.console.page import Page, PageDep
from api.language import gettext, locale
from api.pages import is_htmx, render
from crm_link.board.period import PERIODS, Board, period_ends, read_board
from crm_link.board.tables import as_csv, board_table
from crm_link.board.topics import board_topics as find_topics
from crm_link.board.voices import board_sources, influencers_of
from crm_link.mentions import get_brand
from sentiment.facets import LEAST_PEOPLE, facet_series, facets_of, places_of
from sentiment.heads import EMOTIONS
from sentiment.share_of_voice import ShareOfVoice, share_of_voice
from sentiment.signals.intents import Intent
from sentiment.signals.sums import UNSURE

router = APIRouter(prefix="/board")

#: Languages and places that have a row of their own.
MOST_LANGUAGES = 12
MOST_PLACES = 12

BrandQuery = Annotated[str, Query(max_length=100)]
PeriodQuery = Annotated[str, Query(pattern="^(24h|7d|30d)$")]


@router.get("")
def board(page: PageDep, brand: BrandQuery = "", period: PeriodQuery = "24h") -> Response:
    """Show a brand's period in numbers, with a place for the charts.

    Who sees one brand only need not choose it to see what all brands together cannot have.
    """
    options = brand_options(page.session)
    if len(options) == 1:
        brand = brand or options[0][0]
    brand_id = get_brand(page.session, brand).id if brand else None
    shown = read_board(page.session, brand_id, period=period, now=page.state.clock())
    return page.show(
        "board.html",
        {
            "board": shown,
            "voices": _voices(page, brand_id, shown),
            "brand": brand,
            "period": period,
            "periods": list(PERIODS),
            "brand_options": options,
            "grain": timedelta(seconds=shown.grain_s),
        },
    )


def _voices(page: Page, brand_id: int | None, shown: Board) -> ShareOfVoice:
    if brand_id is None:
        return ShareOfVoice((), (), (), ())
    return share_of_voice(page.session, brand_id, shown.since, shown.until)


@router.get("/topics")
def board_topics(page: PageDep, brand: BrandQuery = "", period: PeriodQuery = "24h") -> Response:
    """Show what a period was about; a part of the board, or a page without script."""
    brand_id = get_brand(page.session, brand).id if brand else None
    found = find_topics(page.session, brand_id, period=period, now=page.state.clock())
    shown = {"found": found, "brand": brand, "period": period, "now": page.state.clock()}
    return _part(page, "_board_topics.html", gettext("What it is about"), shown)


@router.get("/signals")
def board_signals(page: PageDep, brand: BrandQuery = "", period: PeriodQuery = "24h") -> Response:
    """Show emotions, intents and languages of a period; a part of the board, or a page."""
    brand_id = get_brand(page.session, brand).id if brand else None
    since, until, grain_s = period_ends(period, page.state.clock())
    shown = {
        "facets": facets_of(page.session, brand_id, since, until),
        "emotions": EMOTIONS,
        "points": facet_series(
            page.session, brand_id, since, until, kind="emotion", grain_s=grain_s
        ),
        "intents": tuple(Intent),
        "names": locale().languages,
        "most_languages": MOST_LANGUAGES,
        "unsure": UNSURE,
        "grain": timedelta(seconds=grain_s),
        "since": since,
        "until": until,
        "brand": brand,
        "period": period,
    }
    title = gettext("Emotions, intents and languages")
    return _part(page, "_board_signals.html", title, shown)


@router.get("/reach")
def board_reach(page: PageDep, brand: BrandQuery = "", period: PeriodQuery = "24h") -> Response:
    """Show who reached most, from where people spoke, what found it; a part, or a page."""
    brand_id = get_brand(page.session, brand).id if brand else None
    since, until, _ = period_ends(period, page.state.clock())
    shown = {
        "people": influencers_of(page.session, brand_id, since, until),
        "places": places_of(page.session, brand_id, since, until)[:MOST_PLACES],
        "countries": locale().territories,
        "least_people": LEAST_PEOPLE,
        "sources": board_sources(page.session, brand_id, since, until),
        "since": since,
        "until": until,
        "brand": brand,
        "period": period,
        "now": page.state.clock(),
    }
    title = gettext("Influencers, places and sources")
    return _part(page, "_board_reach.html", title, shown)


def _part(page: Page, template: str, title: str, shown: dict[str, Any]) -> Response:
    if is_htmx(page.request):
        return render(page.request, template, shown)
    return page.show("board_part.html", shown | {"part": template, "title": title})


@router.get("/{chart}.csv")
def board_csv(
    page: PageDep, chart: str, brand: BrandQuery = "", period: PeriodQuery = "24h"
) -> Response:
    """Return the numbers behind a chart as a CSV file."""
    brand_id = get_brand(page.session, brand).id if brand else None
    table = board_table(page.session, chart, brand_id, period=period, now=page.state.clock())
    name = "-".join(part for part in ("board", brand.replace(":", "-"), chart, period) if part)
    return Response(
        as_csv(table),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
