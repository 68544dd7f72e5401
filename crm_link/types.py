"""What CRMs give and take, and what a link rests on: plain values, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class LinkState(StrEnum):
    """What is held of the claim "this author is that contact"."""

    SUGGESTED = "suggested"  # a person has to look
    CONFIRMED = "confirmed"  # by evidence that stands alone, or by a person
    REJECTED = "rejected"  # a person said no; never suggested again
    WITHDRAWN = "withdrawn"  # the evidence is gone, or a person undid it


class EvidenceKind(StrEnum):
    """What speaks for a link. The first four stand alone; the others only suggest."""

    CRM_HANDLE = "crm_handle"  # the CRM holds the author's handle or account id
    EMAIL = "email"  # the same e-mail address in bio or text
    PHONE = "phone"  # the same phone number in bio or text
    VERIFIED_LINK = "verified_link"  # a link that the platform verified names the contact
    PROFILE_LINK = "profile_link"  # an unverified link to the contact's site
    LOCATION = "location"  # the place that the author states is the contact's
    NAME = "name"  # the same name: never enough, at any weight


class Priority(StrEnum):
    """What a mention asks for, after DataEQ's RPCS labels, most urgent first."""

    RISK = "risk"
    CANCEL = "cancel"
    SERVICE = "service"
    PURCHASE = "purchase"
    OTHER = "other"


class RecordKind(StrEnum):
    """What Groundswell opens in a CRM beside contacts."""

    CASE = "case"  # a ticket for customer service, one for each complaint
    NOTE = "note"  # an activity on the contact's record, one for each incident


#: What we write of a case. `contact` is the CRM's id of the contact it is of, `state` is open or
#: closed (what a person made of it is said in the CRM's own word), `priority` high or medium.
CASE_FIELDS = ("subject", "body", "priority", "state", "contact")

#: What we write of a note.
NOTE_FIELDS = ("subject", "body", "contact")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for or against a link.

    Args:
        kind: What it is.
        source: Where the author shows it, for example `bio` or `mention 17`.
        value_hash: Keyed hash of the value that agrees; never the value.
        weight_bits: What it adds to the match weight, log2 odds; below 0 it speaks against.
        level: How far name, place or site agree, for example `nick` or `conflict`.

    """

    kind: EvidenceKind
    source: str
    value_hash: str
    weight_bits: float
    level: str = ""


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """A person as the CRM has them.

    Args:
        external_id: The CRM's id.
        name: The whole name, given name first where it is known.
        family_name: The family name, where the CRM has it apart.
        handles: (platform, handle or account id) pairs, without the leading @.
        relationship_source: Where the record comes from: consent, provided_by_person,
            prior_relationship, public_directory, enriched or bought. None: not said.
        fields: Everything else the CRM holds, as text.

    """

    external_id: str
    name: str = ""
    family_name: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    handles: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()
    country: str | None = None
    tier: str | None = None
    value: float | None = None
    owner: str | None = None
    relationship_source: str | None = None
    do_not_contact: bool = False
    is_deleted: bool = False
    updated_at: datetime | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One answer of a CRM: contacts and where the next sync starts."""

    contacts: tuple[ContactRecord, ...]
    cursor: str | None
    rejected: tuple[str, ...] = ()  # why a row was not understood, with its place


@dataclass(frozen=True, slots=True)
class ContactUpdate:
    """What enrichment writes to one CRM record.

    `fields` hold the namespaced field names (`groundswell_...`); a later update of the same
    record replaces an earlier one that has not left yet.
    """

    external_id: str
    fields: Mapping[str, str | int | float | bool | None]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one update."""

    external_id: str
    error: str | None = None
    is_transient: bool = False
    retry_after_s: float | None = None
    is_limit: bool = False  # the CRM or our budget said not now: no failure of the record
