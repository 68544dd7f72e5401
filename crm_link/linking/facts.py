"""What is known of authors and contacts when they are compared: plain values. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from crm_link.linking.keys import KeyKind
from crm_link.linking.levels import Known, Shown
from crm_link.linking.person_names import PersonName
from crm_link.types import Evidence, LinkState


@dataclass(frozen=True, slots=True)
class Fact:
    """One value that an author shows.

    Args:
        kind: What it is.
        value: Its key.
        source: Where it stands, for example `bio` or `mention 17`.
        mention_id: The mention whose text shows it; None for the profile.
        is_verified: The platform verified it (a link).
        is_shared: Another author shows the same value.
        is_third_party: It stands in a text that does not call it the writer's own.

    """

    kind: KeyKind
    value: str
    source: str
    mention_id: int | None = None
    is_verified: bool = False
    is_shared: bool = False
    is_third_party: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """An author's account as the platform shows it."""

    author_id: int
    platform: str
    external_id: str
    handle: str | None = None
    name: str | None = None
    bio: str | None = None
    location: str | None = None
    links: tuple[str, ...] = ()
    verified_links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthorFacts:
    """What is known of an author.

    Args:
        shown: The name, places and links in the forms that are compared with a contact's;
            None compares keys only.

    """

    author_id: int
    platform: str
    handle: str | None
    name: str | None
    location: str | None
    facts: tuple[Fact, ...]
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that shares a key with an author, and that policy allows.

    Args:
        contact_id: Our row.
        crm: The CRM that holds it; contacts of two CRMs may be the same person.
        name: As the CRM has it.
        owner: Who looks after it; an address of theirs is not the contact's.
        keys: The keys that it shares with somebody in this batch.
        known: Its name, place and links in the forms that are compared.
        is_public: Policy allows that what is public about author and contact confirms.

    """

    contact_id: int
    crm: str
    name: str
    owner: str | None = None
    keys: frozenset[tuple[str, str]] = frozenset()
    known: Known = field(default_factory=lambda: Known(PersonName((), ())))
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """An author is that contact, how sure that is, and what it rests on.

    Args:
        contact_id: Our row.
        state: Confirmed or suggested.
        evidence: What speaks for and against it.
        weight_bits: The match weight: log2 odds, with the prior.
        probability: Of this contact among all candidates and nobody.
        note: Why it is suggested only.

    """

    contact_id: int
    state: LinkState
    evidence: tuple[Evidence, ...]
    weight_bits: float
    probability: float = 0.0
    note: str = ""
