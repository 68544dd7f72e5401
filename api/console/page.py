"""What every page of the console shows around its own content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from api.deps import SessionDep, State, StateDep, UserDep, may
from api.models import Role, User
from api.pages import render
from crm_link.escalation.protocol_parts.history import broken_files
from crm_link.escalation.war_room.incident_view import count_unresolved, newest_event
from crm_link.flags.queue import count_open
from crm_link.replying.lists import count_to_do


@dataclass(frozen=True, slots=True)
class Page:
    """A page for somebody who is signed in."""

    request: Request
    session: Session
    state: State
    user: User
    #: The newest live event when this page began to be made: it is followed from here.
    seen: str

    def show(
        self, template: str, context: Mapping[str, Any] | None = None, *, status_code: int = 200
    ) -> HTMLResponse:
        """Return the page: `template` with `context` and what is around it."""
        return render(
            self.request,
            template,
            {
                "user": self.user,
                "role": Role,
                "may": lambda role: may(self.user, role),
                "asks_zone": not self.user.zone,
                "now": self.state.clock(),
                "live_id": self.seen,
                "is_demo": self.state.is_demo,
                "notice": self.request.session.pop("notice", ""),
                "open_flags": count_open(self.session, now=self.state.clock()),
                "replies_to_do": count_to_do(
                    self.session, self.user.email, approves=may(self.user, Role.PR_LEAD)
                ),
                "open_incidents": count_unresolved(self.session),
                "newest_event": newest_event(self.session),
                "broken_protocols": broken_files(self.session),
                **(context or {}),
            },
            status_code=status_code,
        )


def get_page(request: Request, user: UserDep, session: SessionDep, state: StateDep) -> Page:
    """Return the page that this request asks for."""
    return Page(request, session, state, user, state.live.last_id)


PageDep = Annotated[Page, Depends(get_page)]
