"""How the installation does, for admins."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api.console.page import PageDep
from api.deps import AdminUserDep
from api.language import gettext
from api.system import COUNT_LIMIT, view_system
from listener.models import SourceState

router = APIRouter(prefix="/admin/system")


@router.get("")
def system(_admin: AdminUserDep, page: PageDep) -> Response:
    """Show backlog, sources, outboxes, model, database and versions."""
    found = view_system(page.session, page.state.settings, page.state.clock())
    needy = [
        one
        for one in found.sources
        if one.state is SourceState.FAILING or one.is_late or one.is_silent
    ]
    context = {
        "system": found,
        "needy": needy,
        "count_limit": COUNT_LIMIT,
        "kept": {
            "raw_posts": gettext("Platforms' raw answers"),
            "quarantine": gettext("Items that were not understood"),
            "collections": gettext("Records of collections"),
            "cursors": gettext("Unfinished back-fills"),
            "mentions": gettext("Mentions, contacts, incidents and the audit log"),
        },
        "steps": {
            "score": gettext("wait for a first judgement"),
            "link": gettext("wait for linking"),
            "triage": gettext("wait for triage"),
            "judge_first": gettext("risky, wait for the model"),
            "judge": gettext("wait for the model"),
        },
    }
    return page.show("system.html", context)
