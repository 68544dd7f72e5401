"""A brand's crisis protocol: who is told what, when, how, and at which counts.

`protocol_file` reads it from YAML and says what is wrong with it; the parts have modules of
their own (`protocol_contacts`, `protocol_severity`, ...). The word *Protocol* is Python's, so
the class is `EscalationProtocol`. Keys that are not in these models are refused, never ignored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr

from config.language import SOURCE
from crm_link.escalation.protocol_parts.base import (
    LEVELS,
    WAKING_LEVELS,
    Level,
    Strict,
    known_language,
)
from crm_link.escalation.protocol_parts.budget import FalseAlarms
from crm_link.escalation.protocol_parts.chain import (
    DEFAULT_CHAIN,
    EVERYONE,
    Chain,
    ChainStep,
    deputy_role,
)
from crm_link.escalation.protocol_parts.contacts import ChannelAddress, ProtocolContact
from crm_link.escalation.protocol_parts.delivery import Limits, Operations
from crm_link.escalation.protocol_parts.drills import After, Drills
from crm_link.escalation.protocol_parts.hours import Hours
from crm_link.escalation.protocol_parts.on_call import Rotation, on_call_rotation
from crm_link.escalation.protocol_parts.playbook import Approvals, Assessment, Playbook
from crm_link.escalation.protocol_parts.replies import Replies
from crm_link.escalation.protocol_parts.response import ResponseTimes
from crm_link.escalation.protocol_parts.severity import Condition, Dedup, Severity
from crm_link.escalation.protocol_parts.statements import Faq, Statement
from crm_link.escalation.protocol_parts.triage import CrmRules, Routing, Topic, Triage

__all__ = [
    "DEFAULT_CHAIN",
    "EVERYONE",
    "LEVELS",
    "WAKING_LEVELS",
    "Chain",
    "ChainStep",
    "ChannelAddress",
    "Condition",
    "Dedup",
    "EscalationProtocol",
    "Level",
    "ProtocolContact",
    "Severity",
    "deputy_role",
]


class EscalationProtocol(Strict):
    """A brand's crisis protocol. `brand` empty: it serves every brand that names the file."""

    version: Literal[1]
    brand: str = ""
    #: What contacts are told in who have no language of their own.
    language: Annotated[str, AfterValidator(known_language)] = SOURCE
    contacts: tuple[ProtocolContact, ...] = Field(min_length=1)
    routing: Routing = Field(default_factory=Routing)
    triage: Triage = Field(default_factory=Triage)
    crm: CrmRules = Field(default_factory=CrmRules)
    topics: tuple[Topic, ...] = ()
    severity: tuple[Severity, ...] = Field(min_length=1)
    dedup: Dedup = Field(default_factory=Dedup)
    false_alarms: FalseAlarms | None = None
    escalation: dict[str, Chain] = Field(min_length=1)
    assessment: Assessment = Field(default_factory=Assessment)
    playbooks: dict[str, Playbook] = Field(default_factory=dict)
    statements: dict[str, Statement] = Field(default_factory=dict)
    approvals: Approvals = Field(default_factory=Approvals)
    faq: tuple[Faq, ...] = ()
    on_call: dict[str, Rotation] = Field(default_factory=dict)
    business_hours: Hours | None = None
    response_times: ResponseTimes = Field(default_factory=ResponseTimes)
    replies: Replies = Field(default_factory=Replies)
    limits: Limits = Field(default_factory=Limits)
    operations: Operations = Field(default_factory=Operations)
    drills: Drills = Field(default_factory=Drills)
    after: After = Field(default_factory=After)

    _source: str = PrivateAttr(default="")

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401 - pydantic's signature
        """Take the file's own words as the source where a reader passes them."""
        if isinstance(context, dict):
            self._source = str(context.get("source", ""))

    @property
    def source(self) -> str:
        """The YAML that this was read from, which an incident keeps as its snapshot."""
        return self._source or self.model_dump_json(exclude_unset=True, by_alias=True)

    @property
    def digest(self) -> str:
        """The SHA-256 of the source, in hexadecimal."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of every severity."""
        return tuple(one for severity in self.severity for one in severity.conditions)

    def find_contact(self, contact_id: str) -> ProtocolContact | None:
        """Return the contact, or None."""
        return next((one for one in self.contacts if one.id == contact_id), None)

    def find_severity(self, level: str) -> Severity | None:
        """Return the severity of this level, or None where the file does not have it."""
        return next((one for one in self.severity if one.level == level), None)

    def chain_for(self, level: str) -> Chain:
        """Return the chain of a severity: its own, or the default one."""
        return self.escalation.get(level) or self.escalation[DEFAULT_CHAIN]

    def people(self, notify: Iterable[str]) -> list[tuple[ProtocolContact, str]]:
        """Return who is meant by a step's words, each once, with the role that they are told in."""
        found: dict[str, tuple[ProtocolContact, str]] = {}
        for word in notify:
            for contact in self._meant_by(word):
                found.setdefault(contact.id, (contact, word))
        return list(found.values())

    def _meant_by(self, word: str) -> Iterator[ProtocolContact]:
        if word == EVERYONE:
            yield from self.contacts
        elif (rotation := on_call_rotation(word)) is not None:
            # Who of them is on call at a time is in `on_call`, which knows overrides too.
            members = self.on_call[rotation].members if rotation in self.on_call else ()
            yield from (contact for contact in self.contacts if contact.id in members)
        elif (role := deputy_role(word)) is not None:
            for contact in self.contacts:
                deputy = contact.role == role and self.find_contact(contact.deputy or "")
                if deputy:
                    yield deputy
        else:
            yield from (contact for contact in self.contacts if contact.role == word)
