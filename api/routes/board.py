"""The brand board in numbers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import SessionDep, StateDep, get_user
from api.schemas.board import BoardOut, ShareOfVoiceOut
from crm_link.board.period import read_board
from crm_link.mentions import get_brand
from sentiment.share_of_voice import share_of_voice

router = APIRouter(prefix="/board", tags=["trends"], dependencies=[Depends(get_user)])

BrandQuery = Annotated[str, Query(max_length=100, description="Its key; empty: all.")]
PeriodQuery = Annotated[str, Query(pattern="^(24h|7d|30d)$")]


@router.get("")
def read_board_numbers(
    session: SessionDep, state: StateDep, brand: BrandQuery = "", period: PeriodQuery = "24h"
) -> BoardOut:
    """Return volume, net sentiment, platforms and share of voice, against the period before."""
    brand_id = get_brand(session, brand).id if brand else None
    board = read_board(session, brand_id, period=period, now=state.clock())
    share = None
    if brand_id is not None:
        found = share_of_voice(session, brand_id, board.since, board.until)
        share = ShareOfVoiceOut.model_validate(found)
    return BoardOut.model_validate(
        {name: getattr(board, name) for name in BoardOut.model_fields if name != "share_of_voice"}
        | {"share_of_voice": share}
    )
