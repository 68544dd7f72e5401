"""What may stand in a contact's CRM record beside facts: sentiment, and scores to approach by.

Sentiment of a platform whose terms ask for consent (`crm_link.policy`) needs the contact's
record or a recorded consent to say so. Scores and segment serve to approach a person, so that
the record of somebody who must not be contacted has none (GDPR, Article 21 (2) and (3)).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from crm_link.context import policy_in_force
from crm_link.linking.due import AnyRow
from crm_link.policy import PolicyTable, may_write_sentiment
from crm_link.refusals import consents_of


@dataclass(frozen=True, slots=True)
class ProfileRights:
    """What may be written of one contact.

    Args:
        source: Where the contact's record comes from.
        consents: What was recorded that they agreed to, and not taken back.
        may_approach: Whether they may be contacted.
        table: The platforms' rules.

    """

    source: str | None
    consents: frozenset[str]
    may_approach: bool
    table: PolicyTable

    def may_tell_sentiment(self, platform: str) -> bool:
        """Say whether what was found on `platform` may stand in the record as sentiment."""
        return may_write_sentiment(platform, self.source, consents=self.consents, table=self.table)

    def may_score(self, platform: str) -> bool:
        """Say whether scores may be made of what was found on `platform`."""
        return self.may_approach and self.may_tell_sentiment(platform)


def rights_of(
    session: Session, contacts: Sequence[AnyRow], platforms: Mapping[int, Collection[str]]
) -> dict[int, ProfileRights]:
    """Return the rights of contacts.

    Args:
        session: The transaction.
        contacts: Rows with `id`, `relationship_source` and `must_not_contact`.
        platforms: Where each contact has accounts.

    """
    if not platforms:
        return {}
    table = policy_in_force()
    # Consent is asked for only where something depends on it.
    asked = [
        one.id
        for one in contacts
        if any(
            not may_write_sentiment(platform, one.relationship_source, table=table)
            for platform in platforms.get(one.id, ())
        )
    ]
    consents = consents_of(session, asked) if asked else {}
    return {
        one.id: ProfileRights(
            one.relationship_source,
            consents.get(one.id, frozenset()),
            not one.must_not_contact,
            table,
        )
        for one in contacts
    }
