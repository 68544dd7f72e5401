"""Files that a request changes: held before its transaction begins, until after its commit.

A route names them before its actor, because what is named first is begun first and ended last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Form

from api.deps import AdminUserDep, StateDep, require_role
from api.models import Role, User
from api.protocol_editing import find_file
from config.held_file import HeldFile, hold_file

_PrLeadUserDep = Annotated[User, Depends(require_role(Role.PR_LEAD))]


def hold_brands(state: StateDep, _admin: AdminUserDep) -> Iterator[HeldFile]:
    """Hold brands.yaml for an admin."""
    with hold_file(state.settings.brands_path()) as held:
        yield held


HeldBrandsDep = Annotated[HeldFile, Depends(hold_brands, scope="function")]


def hold_protocol(
    state: StateDep, _lead: _PrLeadUserDep, brand: Annotated[str, Form(max_length=100)]
) -> Iterator[HeldFile | None]:
    """Hold, for a PR lead, the protocol's file of the brand that the form names, if it has one."""
    found = find_file(state, brand)
    if found is None:
        yield None
        return
    with hold_file(found.path) as held:
        yield held


HeldProtocolDep = Annotated[HeldFile | None, Depends(hold_protocol, scope="function")]
