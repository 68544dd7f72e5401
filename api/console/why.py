"""Why an incident was raised: the part of its page that is worked out when somebody looks."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from fastapi.responses import Response

from api.console.page import PageDep
from api.language import gettext
from crm_link.escalation.reasons.why_view import WhyView, view_why

router = APIRouter(prefix="/incidents")


@router.get("/{incident_id}/why")
def why(page: PageDep, incident_id: int) -> Response:
    """Show what grew, who speaks, and the network of accounts that post the same."""
    view = view_why(page.session, incident_id, now=page.state.clock())
    return page.show("incident_why.html", {"view": view, "why": view.now, "network": _drawn(view)})


def _drawn(view: WhyView) -> str:
    """Return the network as the chart takes it; the same stands in the table behind it."""
    found = view.now["coordination"]
    drawn = {
        "words": {"posts": gettext("Posts"), "common": gettext("Things in common")},
        "nodes": [
            {
                "id": str(one["author_id"]),
                "name": view.author_name(one["author_id"]),
                "value": one["posts"],
            }
            for one in found["nodes"]
        ],
        "links": [
            {"source": str(one), "target": str(other), "value": things}
            for one, other, things in found["edges"]
        ],
    }
    # Inside a script element nothing but its own end may be misread.
    return orjson.dumps(drawn).decode().replace("<", "\\u003c")
