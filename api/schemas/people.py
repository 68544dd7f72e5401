"""Authors, contacts and the links between them, as the JSON API gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from api.schemas.base import Out
from crm_link.types import LinkState


class AuthorOut(Out):
    """An account on a platform."""

    id: int
    platform: str
    external_id: str
    handle: str | None
    name: str | None
    bio: str | None
    location: str | None
    followers: int | None
    is_verified: bool | None


class ContactOut(Out):
    """A person in the CRM."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    id: int
    crm: str
    external_id: str
    name: str
    emails: list[str]
    phones: list[str]
    handles: list[str]
    links: list[str]
    country: str | None
    tier: str | None
    value: float | None
    owner: str | None
    do_not_contact: bool = Field(
        validation_alias="must_not_contact",
        description="So says this record, or another one of the same person.",
    )


class LinkOut(Out):
    """The claim that an author is a contact, with what it rests on."""

    id: int
    author_id: int
    contact_id: int
    state: LinkState
    weight_bits: float = Field(description="Match weight: log2 odds of the link.")
    evidence: list[dict[str, Any]]
    rule_version: str
    decided_by: str | None = Field(description="A user's address; null: by evidence alone.")
    decided_at: datetime


class AuthorLinkOut(LinkOut):
    """A link with its author."""

    author: AuthorOut


class ContactLinkOut(LinkOut):
    """A link with its contact."""

    contact: ContactOut


class LinkBothOut(AuthorLinkOut, ContactLinkOut):
    """A link with author and contact, for a decision."""


class ContactDetailOut(ContactOut):
    """A contact with the accounts that are theirs."""

    links_to_authors: list[AuthorLinkOut]
