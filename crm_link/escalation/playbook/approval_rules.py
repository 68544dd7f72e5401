"""Who may approve a statement, and when one may go out."""

from __future__ import annotations

from datetime import datetime

from crm_link.escalation.playbook.playbook_models import IncidentStatement, StatementState
from crm_link.escalation.protocol import EscalationProtocol, ProtocolContact

#: The role of an approval where the protocol names none: somebody else than the one who asked.
ANOTHER_PERSON = "another_person"


def missing_roles(statement: IncidentStatement) -> list[str]:
    """Return the roles whose approval a statement still needs."""
    given = {one["role"] for one in statement.approvals}
    return [role for role in statement.needs if role not in given]


def may_go(statement: IncidentStatement, protocol: EscalationProtocol, now: datetime) -> bool:
    """Say whether a statement may be published now, approved or because nobody answered."""
    if statement.state is StatementState.APPROVED:
        return True
    of_file = protocol.statements.get(statement.key)
    return (
        statement.state is StatementState.REQUESTED
        and statement.may_go_at is not None
        and statement.may_go_at <= now
        and of_file is not None
        and of_file.is_approved(now.date())
    )


def may_approve(
    protocol: EscalationProtocol, statement: IncidentStatement, role: str, by: str
) -> bool:
    """Say whether a user of the console may approve for a role.

    Where the file says how the role's people are known in the console, it is for them and their
    deputies alone; else for everybody but the one who asked.
    """
    named = _known(protocol, role)
    return by.lower() in named if named else by != statement.requested_by


def approver_words(protocol: EscalationProtocol, role: str) -> str:
    """Return who may approve for a role, in words."""
    return ", ".join(sorted(_known(protocol, role))) or "somebody else than who asked"


def _known(protocol: EscalationProtocol, role: str) -> set[str]:
    people = [one for one, _ in protocol.people([role, f"deputy({role})"])]
    return {name for one in people for name in _names(one)}


def _names(contact: ProtocolContact) -> set[str]:
    """Return the addresses with which a contact signs in; phones and chat ids are none."""
    return {
        name.lower() for name in (contact.id, *contact.known_as) if "@" in name and ":" not in name
    }
