"""Writing what linking found: links, and one event for each change of state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from config.bulk import update_rows
from config.phrases import Phrase, joined, phrase
from crm_link.context import LinkContext
from crm_link.linking.due import AnyRow
from crm_link.linking.facts import Claim
from crm_link.linking.link_compare import level_words, title_of
from crm_link.linking.link_evidence import observed_evidence, plain_evidence, reasons_of, values_of
from crm_link.linking.link_statements import NEW_EVENTS, insert_links, links_of_authors, rows_of
from crm_link.linking.weights import Weights
from crm_link.models import IdentityLink
from crm_link.policy import may_link
from crm_link.refusals import consents_of, refused_among
from crm_link.types import Evidence, LinkState

#: Name and version of what confirms and what only suggests (`crm_link.matching`).
RULES = "evidence-2"

#: Who acts where no person does.
SYSTEM = "groundswell"

_LIVE = frozenset({LinkState.SUGGESTED, LinkState.CONFIRMED})


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A link as it stands, with what decides whether it may still stand."""

    row: AnyRow
    refusal: str = ""  # why policy, a withdrawn consent or an opt-out does not allow it

    @property
    def is_void(self) -> bool:
        """Whether the contact is gone or the link is not allowed (any more)."""
        return self.row.contact_deleted_at is not None or bool(self.refusal)


def rule_version(weights: Weights) -> str:
    """Return the name and version of the rules and weights, kept with every link."""
    return f"{RULES}+{weights.version}"[:40]


def load_links(
    session: Session, author_ids: Collection[int], context: LinkContext
) -> dict[int, dict[int, StoredLink]]:
    """Return the links of the authors, by author and contact, and hold them.

    Else a person's decision that falls between reading and writing would be overwritten.
    """
    found: dict[int, dict[int, StoredLink]] = defaultdict(dict)
    rows = rows_of(session, links_of_authors, author_ids)
    if not rows:
        return found
    consents = consents_of(session, {row.contact_id for row in rows})
    refused = refused_among(session, [(row.author_id, row.contact_id) for row in rows], context)
    for row in rows:
        verdict = may_link(
            row.platform,
            row.relationship_source,
            consents=consents.get(row.contact_id, ()),
            table=context.table,
        )
        refusal = "" if verdict.is_allowed else verdict.rule
        if (row.author_id, row.contact_id) in refused:
            refusal = "opted out"
        found[row.author_id][row.contact_id] = StoredLink(row, refusal)
    return found


def next_state(
    current: LinkState | None,
    claim: LinkState | None,
    *,
    is_by_person: bool = False,
    is_same_evidence: bool = True,
    is_void: bool = False,
    was_withdrawn: bool = False,
) -> LinkState | None:
    """Return the state that a link gets; None where there is none.

    A person's decision stands. Only two things go past it: a contact that is gone or that
    policy excludes, and a suggestion whose evidence is gone. What a person withdrew comes
    back on new evidence only. Whatever was withdrawn once comes back as a suggestion.
    """
    if current in {None, LinkState.REJECTED}:
        return current or (None if is_void else claim)
    if is_void:
        return LinkState.WITHDRAWN
    if not is_by_person:
        if claim is None:
            return LinkState.WITHDRAWN
        return LinkState.SUGGESTED if was_withdrawn else claim
    if current is LinkState.SUGGESTED and claim is None:
        return LinkState.WITHDRAWN
    is_back = current is LinkState.WITHDRAWN and claim is not None and not is_same_evidence
    return LinkState.SUGGESTED if is_back else current


def apply_claims(
    session: Session,
    authors: Mapping[int, str],
    claims: Mapping[int, Sequence[Claim]],
    links: Mapping[int, Mapping[int, StoredLink]],
    now: datetime,
    *,
    version: str,
) -> set[int]:
    """Bring the links of the authors to what is claimed.

    Args:
        session: The transaction; it holds the authors.
        authors: The platform of each author that was judged.
        claims: What is claimed, by author.
        links: The links as they stand.
        now: The present.
        version: See `rule_version`.

    Returns:
        The contacts for which a confirmed link came or went.

    """
    new: dict[tuple[int, int], Claim] = {}
    changed: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    touched: set[int] = set()
    for author_id, platform in authors.items():
        stored = links.get(author_id, {})
        by_contact = {claim.contact_id: claim for claim in claims.get(author_id, ())}
        new.update(((author_id, key), c) for key, c in by_contact.items() if key not in stored)
        for contact_id, link in stored.items():
            found = by_contact.get(contact_id)
            row = _changed_row(link, found, now, version)
            if row is None:
                continue
            changed.append(row)
            before, after = link.row.state, row["state"]
            if before is not after:
                note = _note(platform, found, version) if found else _gone(link)
                if found and before is LinkState.WITHDRAWN:
                    note = joined("; ", [note, WITHDRAWN_BEFORE])
                events.append(_event(link.row.id, before, after, note, now))
                if LinkState.CONFIRMED in {before, after}:
                    touched.add(contact_id)
    update_rows(session, IdentityLink, sorted(changed, key=lambda row: int(row["id"])))
    events.extend(_insert(session, new, authors, now, version))
    if events:
        session.execute(NEW_EVENTS, events)
    return touched | {
        contact_id for (_, contact_id), c in new.items() if c.state is LinkState.CONFIRMED
    }


def _insert(
    session: Session,
    new: Mapping[tuple[int, int], Claim],
    authors: Mapping[int, str],
    now: datetime,
    version: str,
) -> list[dict[str, Any]]:
    """Insert links by (author, contact); return their first events."""
    if not new:
        return []
    rows = [_new_row(author_id, claim, now, version) for (author_id, _), claim in new.items()]
    return [
        _event(
            row.id,
            None,
            row.state,
            _note(authors[row.author_id], new[row.author_id, row.contact_id], version),
            now,
        )
        for row in insert_links(session, rows)
    ]


def _changed_row(
    link: StoredLink, claim: Claim | None, now: datetime, version: str
) -> dict[str, Any] | None:
    """Return the row that the link becomes; None where nothing changes."""
    row = link.row
    is_by_person = row.decided_by is not None
    state = next_state(
        row.state,
        claim.state if claim else None,
        is_by_person=is_by_person,
        is_same_evidence=claim is None
        or values_of(plain_evidence(claim)) <= values_of(row.evidence),
        is_void=link.is_void,
        was_withdrawn=row.was_withdrawn or row.state is LinkState.WITHDRAWN,
    )
    assert state is not None
    is_moved = state is not row.state
    is_renewed = (
        claim is not None
        and state in _LIVE
        and (is_moved or not is_by_person)
        and reasons_of(plain_evidence(claim)) != reasons_of(row.evidence)
    )
    if not (is_moved or is_renewed):
        return None
    return {
        "id": row.id,
        "state": state,
        "weight_bits": claim.weight_bits if claim and is_renewed else row.weight_bits,
        "probability": claim.probability if claim and is_renewed else row.probability,
        "evidence": observed_evidence(claim, now) if claim and is_renewed else row.evidence,
        "rule_version": version if is_renewed else row.rule_version,
        "decided_by": None if is_moved else row.decided_by,
        "decided_at": now if is_moved else row.decided_at,
        "was_withdrawn": row.was_withdrawn or LinkState.WITHDRAWN in {state, row.state},
    }


def _new_row(author_id: int, claim: Claim, now: datetime, version: str) -> dict[str, Any]:
    return {
        "author_id": author_id,
        "contact_id": claim.contact_id,
        "state": claim.state,
        "weight_bits": claim.weight_bits,
        "probability": claim.probability,
        "evidence": observed_evidence(claim, now),
        "rule_version": version,
        "decided_by": None,
        "decided_at": now,
        "created_at": now,
    }


#: What became of an account, as its platform said.
_GONE = {
    "deleted": phrase("deleted"),
    "removed": phrase("removed"),
    "protected": phrase("protected"),
    "suspended": phrase("suspended"),
    "unknown": phrase("unknown"),
}

#: Why a link that came back is only suggested.
WITHDRAWN_BEFORE = phrase("only suggested: it was withdrawn before")


def _event(
    link_id: int, before: LinkState | None, after: LinkState, note: str, now: datetime
) -> dict[str, Any]:
    return {
        "link_id": link_id,
        "at": now,
        "actor": SYSTEM,
        "from_state": before,
        "to_state": after,
        "note": note,
    }


def _note(platform: str, claim: Claim, version: str) -> str:
    found = joined(", ", [_found(item) for item in claim.evidence])
    said = Phrase(
        "%(version)s: %(found)s (%(platform)s)",
        {"version": version, "found": found, "platform": platform},
    )
    if not claim.note:
        return said
    return joined("; ", [said, phrase("only suggested: %(why)s", why=claim.note)])


def _found(item: Evidence) -> str:
    values = {"title": title_of(item.kind), "level": level_words(item.kind, item.level or "")}
    if not values["level"]:
        return Phrase("%(title)s", values)
    return Phrase("%(title)s: %(level)s", values)


def _gone(link: StoredLink) -> str:
    if link.row.contact_deleted_at is not None:
        return phrase("the contact is gone from the CRM")
    if link.refusal:
        return phrase("not allowed: %(rule)s", rule=link.refusal)
    if link.row.gone_reason is not None:
        return phrase(
            "the account is %(state)s",
            state=_GONE.get(link.row.gone_reason, link.row.gone_reason),
        )
    return phrase("the evidence is gone")
