"""What collections and imports came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CollectResult:
    """What a collection came to.

    `seen` counts the posts that the platform gave, `new` and `changed` mentions, `rejected`
    items that were quarantined, `gaps` reports that posts may be missing.
    """

    pages: int = 0
    seen: int = 0
    new: int = 0
    changed: int = 0
    rejected: int = 0
    gaps: int = 0

    def __add__(self, other: CollectResult) -> CollectResult:
        """Return both together."""
        return CollectResult(
            pages=self.pages + other.pages,
            seen=self.seen + other.seen,
            new=self.new + other.new,
            changed=self.changed + other.changed,
            rejected=self.rejected + other.rejected,
            gaps=self.gaps + other.gaps,
        )
