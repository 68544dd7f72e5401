"""Sources: is everything listened to, and what may be missing?"""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from api.console.page import PageDep
from api.console.source_edit import may_edit
from crm_link.mentions import list_brands
from listener.coverage import coverage, find_gaps, source_health
from listener.models import SourceState
from listener.quarantine import count_imported

router = APIRouter(prefix="/sources")


@router.get("")
def sources(page: PageDep) -> Response:
    """Show every source with its health and its gaps."""
    now = page.state.clock()
    found = source_health(page.session, now)
    gaps = find_gaps(page.session)
    needy = {
        one.source_id
        for one in found
        if one.state is SourceState.FAILING or one.is_late or one.is_silent or one.open_gaps
    }
    return page.show(
        "sources.html",
        {
            "sources": sorted(found, key=lambda one: one.source_id not in needy),
            "needy": needy,
            "gaps_of": {
                one.source_id: [gap for gap in gaps if gap.source_id == one.source_id]
                for one in found
            },
            "coverage": [
                (brand.name, share)
                for brand in list_brands(page.session)
                if (share := coverage(page.session, brand.id, now - timedelta(days=1), now))
                is not None
            ],
            "may_edit": may_edit(page),
            "import_quarantine": count_imported(page.session),
        },
    )
