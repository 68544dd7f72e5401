"""What the queue's dialogs offer that depends on the chosen mentions: contacts, incidents.

Each is a page by itself too, for browsers without script and for the mention's own page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.console.page import Page, PageDep
from api.deps import CommunityManagerUserDep
from api.pages import is_htmx
from api.schemas.queue import FilterIn
from api.security import HOME, safe_next
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.contacts.people_list import PeopleFilter, list_people
from crm_link.context import load_context
from crm_link.escalation.by_hand import joinable, main_topic
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.flags.acts import MAX_AT_ONCE
from crm_link.flags.queue import get_flags, ids_of
from crm_link.linking.hand_links import links_of
from crm_link.models import Flag, FlagStatus
from crm_link.policy import PolicyRule, rule_of
from crm_link.types import LinkState

router = APIRouter(prefix="/queue")

#: Contacts that a search shows; who is not among them is searched for with more words.
MOST_FOUND = 8

#: Authors that are shown by name.
MOST_AUTHORS = 6

Ids = Annotated[list[int] | None, Query()]
AllOf = Annotated[str, Query(max_length=2000, description="The filters, in place of ids.")]
Next = Annotated[str, Query(max_length=2000, alias="next")]


@router.get("/link")
def link(
    page: PageDep,
    _user: CommunityManagerUserDep,
    ids: Ids = None,
    all_of: AllOf = "",
    q: Annotated[str, Query(max_length=200)] = "",
    target: Next = "",
) -> Response:
    """Show who the authors of some mentions are, and look for who they may be."""
    flags = _chosen(page, ids or [], all_of)
    written = [one.mention.author for one in flags if one.mention.author]
    authors = {author.id: author for author in written}
    links = links_of(page.session, authors, LinkState.CONFIRMED, LinkState.SUGGESTED)
    found = (
        list_people(
            page.session, PeopleFilter(text=q), now=page.state.clock(), limit=MOST_FOUND
        ).people
        if q.strip()
        else ()
    )
    table = load_context().table
    platforms = {one.platform: rule_of(one.platform, table) for one in authors.values()}
    context = {
        "authors": list(authors.values())[:MOST_AUTHORS],
        "more_authors": max(len(authors) - MOST_AUTHORS, 0),
        "confirmed": _in_state(links, LinkState.CONFIRMED),
        "suggested": _in_state(links, LinkState.SUGGESTED) if len(authors) == 1 else [],
        "found": found,
        "asking": sorted(one for one, rule in platforms.items() if rule is PolicyRule.RESTRICTED),
        "denied": sorted(one for one, rule in platforms.items() if rule is PolicyRule.DENY),
        "q": q,
    }
    return _show(page, "queue_link.html", flags, context, target)


@router.get("/escalate")
def escalate(
    page: PageDep,
    _user: CommunityManagerUserDep,
    ids: Ids = None,
    all_of: AllOf = "",
    target: Next = "",
) -> Response:
    """Show which incidents some mentions could join, and how severe a new one can be."""
    flags = _chosen(page, ids or [], all_of)
    flags = [one for one in flags if one.status is FlagStatus.OPEN]
    if not flags:
        raise ConflictError("none of them is in the queue any more")
    brands = {one.brand_id: one.mention.brand for one in flags}
    topics = {
        one: main_topic([flag.mention for flag in flags if flag.brand_id == one]) for one in brands
    }
    running = [incident for one in brands for incident in joinable(page.session, one)]
    levels = [
        [severity.level for severity in protocol_in_force(page.session, one).severity]
        for one in brands
    ]
    context = {
        # Mentions of several brands cannot join one incident.
        "running": running if len(brands) == 1 else [],
        "joins": [one for one in running if one.topic == topics[one.brand_id]],
        "brands": list(brands.values()),
        "topics": topics,
        "levels": [one for one in levels[0] if all(one in each for each in levels)],
    }
    return _show(page, "queue_escalate.html", flags, context, target)


def _chosen(page: Page, ids: Sequence[int], all_of: str) -> list[Flag]:
    if all_of:
        asked = FilterIn.model_validate(dict(parse_qsl(all_of.removeprefix("?"))))
        wanted = asked.filter(page.user.email)
        ids = ids_of(page.session, wanted, now=page.state.clock(), limit=MAX_AT_ONCE)
    if not ids:
        raise InputError("choose a mention first")
    flags = get_flags(page.session, ids)
    if not flags:
        raise NotFoundError("mention %(ids)s is not flagged", ids=ids[0])
    return list(flags.values())


def _in_state(links: dict[int, Any], state: LinkState) -> list[Any]:
    return [one for each in links.values() for one in each if one.state is state][:MOST_AUTHORS]


def _show(
    page: Page, name: str, flags: Sequence[Flag], context: dict[str, Any], target: str
) -> Response:
    around = {"flags": flags, "target": safe_next(target) if target else HOME}
    return page.show(f"_{name}" if is_htmx(page.request) else name, context | around)
