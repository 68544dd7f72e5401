"""The brand board: volume and sentiment over time."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from api.console.filters import brand_options
from api.console.page import PageDep
from api.formats import iso
from crm_link.board import PERIODS, read_board
from crm_link.mentions import get_brand

router = APIRouter(prefix="/board")

BrandQuery = Annotated[str, Query(max_length=100)]
PeriodQuery = Annotated[str, Query(pattern="^(24h|7d|30d)$")]


@router.get("")
def board(page: PageDep, brand: BrandQuery = "", period: PeriodQuery = "24h") -> Response:
    """Show a brand's period in numbers, with a place for the charts."""
    brand_id = get_brand(page.session, brand).id if brand else None
    shown = read_board(page.session, brand_id, period=period, now=page.state.clock())
    return page.show(
        "board.html",
        {
            "board": shown,
            "brand": brand,
            "period": period,
            "periods": list(PERIODS),
            "brand_options": brand_options(page.session),
            "grain": timedelta(seconds=shown.grain_s),
        },
    )


@router.get("/data")
def board_data(page: PageDep, brand: BrandQuery = "", period: PeriodQuery = "24h") -> JSONResponse:
    """Return what the charts draw."""
    brand_id = get_brand(page.session, brand).id if brand else None
    shown = read_board(page.session, brand_id, period=period, now=page.state.clock())
    points: list[dict[str, Any]] = [
        {
            "at": iso(point.at),
            "negative": point.negative,
            "neutral": point.neutral,
            "positive": point.positive,
            "unknown": point.unknown,
            "net": net.value,
            "low": net.low,
            "high": net.high,
        }
        for point, net in shown.points_with_net()
    ]
    platforms = [
        {
            "platform": share.platform,
            "negative": share.total.negative,
            "neutral": share.total.neutral,
            "positive": share.total.positive,
            "unknown": share.total.unknown,
        }
        for share in shown.platforms
    ]
    return JSONResponse(
        {"grain_s": shown.grain_s, "brand": brand, "points": points, "platforms": platforms}
    )
