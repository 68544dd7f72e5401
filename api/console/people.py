"""People: contacts as a list, and one with everything around it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api import actions, people_actions
from api.console.page import PageDep
from api.console.person_chart import weeks_svg
from api.deps import CommunityManagerDep
from api.language import gettext, ngettext
from api.pages import back_to
from api.paging import CursorQuery, decode_id, encode_cursor
from api.routes.people import people_filter
from config.errors import InputError
from crm_link.contacts.people_list import LINKED, PeopleFilter, list_crms, list_people, list_tiers
from crm_link.contacts.person_view import view_person
from crm_link.context import load_context
from crm_link.figures.overview import DEFINITIONS, Segment
from crm_link.opt_outs import find_opt_out
from crm_link.types import LinkState

router = APIRouter(prefix="/people")

#: People on one page.
ROWS = 30


@router.get("")
def people(
    page: PageDep,
    wanted: Annotated[PeopleFilter, Depends(people_filter)],
    cursor: CursorQuery = "",
) -> Response:
    """List contacts, the newest first."""
    found = list_people(
        page.session, wanted, now=page.state.clock(), after=decode_id(cursor), limit=ROWS
    )
    filters = {key: value for key, value in asdict(wanted).items() if value}
    return page.show(
        "people.html",
        {
            "people": found.people,
            "next_cursor": encode_cursor(found.after) if found.after else None,
            "is_first": not cursor,
            "is_cut": found.is_cut,
            "filters": filters,
            "crm_options": [(one, one) for one in list_crms(page.session)],
            "tier_options": [(one, one) for one in list_tiers(page.session)],
            "linked_options": LINKED,
            "segment_options": [one.value for one in Segment],
            "definition": DEFINITIONS["segments"],
        },
    )


@router.get("/{contact_id}")
def person(page: PageDep, contact_id: int) -> Response:
    """Show one contact."""
    view = view_person(page.session, contact_id, now=page.state.clock())
    judged = sum(week.mentions for week in view.weeks)
    return page.show(
        "person.html",
        {
            "view": view,
            "contact": view.contact,
            "judged": judged,
            "first_answer": timedelta(seconds=view.figures.median_first_answer_s or 0),
            "consents": view.consents,
            "withdrawn": view.withdrawn,
            "opt_out": find_opt_out(page.session, contact_id, load_context()),
            "live": [one for one in view.accounts if one.link.state in _LIVE],
            "past": [one for one in view.accounts if one.link.state not in _LIVE],
            "chart": weeks_svg(
                view.weeks,
                ngettext(
                    "%(num)s judged mention in %(weeks)s weeks",
                    "%(num)s judged mentions in %(weeks)s weeks",
                    judged,
                    weeks=len(view.weeks),
                ),
            ),
        },
    )


@router.post("/{contact_id}/split")
def split(
    request: Request,
    actor: CommunityManagerDep,
    contact_id: int,
    link_ids: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Say that some of the accounts are other people's."""
    if not link_ids:
        raise InputError("tick the accounts that are other people's")
    links = actions.split_links(actor, contact_id, link_ids)
    notice = ngettext(
        "%(num)s account split off; it can be taken back below.",
        "%(num)s accounts split off; each can be taken back below.",
        len(links),
    )
    return back_to(request, f"/people/{contact_id}", notice)


@router.post("/{contact_id}/same/{other_id}")
def say_same(
    request: Request,
    actor: CommunityManagerDep,
    contact_id: int,
    other_id: int,
    said: Annotated[Literal["same", "other", ""], Form()] = "",
) -> Response:
    """Say whether two records are one person's, or take it back."""
    is_same = None if not said else said == "same"
    people_actions.say_same(actor, contact_id, other_id, is_same=is_same)
    notice = {
        True: gettext("What one of the two records forbids holds for both now."),
        False: gettext("The two records are held apart now."),
        None: gettext("Taken back: the evidence counts again."),
    }[is_same]
    return back_to(request, f"/people/{contact_id}", notice)


_LIVE = (LinkState.CONFIRMED, LinkState.SUGGESTED)
