"""Which version of a post is the newest: the rule behind `listener.store`, without a database.

X gives an edited post a new id and lists the earlier ones; others keep the id and say when
it was edited, or say nothing. Versions arrive in any order and repeatedly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from listener.models import Step

#: Counts that a platform tells anew each time; what it leaves out stays as it was.
COUNTERS = ("likes", "reposts", "replies", "views")


@dataclass(slots=True)
class Stored:
    """A mention while posts are merged into it; `id` is None until it has a row."""

    id: int | None
    row: dict[str, Any]
    version_ids: set[str] = field(default_factory=set)
    is_edited: bool = False
    is_recounted: bool = False
    is_backdated: bool = False
    old_versions: list[tuple[int, str, str]] = field(default_factory=list)
    new_aliases: list[str] = field(default_factory=list)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Stored:
        """Return a mention as the database has it."""
        return cls(id=row["id"], row=dict(row))

    @property
    def told_at(self) -> datetime:
        """When the version that is stored was written."""
        moment: datetime = self.row["edited_at"] or self.row["published_at"]
        return moment

    @property
    def is_deleted(self) -> bool:
        """Whether only a tombstone is left, which nothing brings back."""
        return self.row.get("deleted_at") is not None

    def keep_version(self, external_id: str, text: str) -> None:
        """Remember what an older version said."""
        number: int = self.row["versions"]
        self.old_versions.append((number, external_id, text))
        self.version_ids.add(external_id)
        self.row["versions"] = number + 1

    def take(self, row: Mapping[str, Any]) -> None:
        """Let `row`, a newer version, be what the mention says."""
        self.keep_version(self.row["external_id"], self.row["text"])
        self.row |= {
            "external_id": row["external_id"],
            "text": row["text"],
            "links": row["links"],
            "url": row["url"] or self.row["url"],
            "edited_at": row["edited_at"] or self.row["edited_at"],
        }
        self.is_edited = True

    def count(self, row: Mapping[str, Any]) -> None:
        """Take over the counts that `row` tells."""
        told = {name: row[name] for name in COUNTERS if row[name] is not None}
        if any(self.row[name] != value for name, value in told.items()):
            self.row |= told
            self.is_recounted = True

    def edit_columns(self, now: datetime) -> dict[str, Any]:
        """Return the columns that an edit changes; judgement and publication time stay."""
        names = ("id", "external_id", "text", "links", "url", "edited_at", "versions")
        return {name: self.row[name] for name in names} | {
            "fetched_at": now,
            "pending": Step.SCORE,
        }


class Merge:
    """Posts of one brand and platform, merged with what is stored.

    Args:
        stored: What is stored, by each id under which it is known.

    """

    def __init__(self, stored: dict[str, Stored]) -> None:
        self._by_id = stored
        self._new: list[Stored] = []
        self._touched: dict[int, Stored] = {}

    def add(self, row: dict[str, Any], earlier_ids: Sequence[str]) -> bool:
        """Merge one post; say whether it told anything that was not known.

        Args:
            row: The columns of the mention that it would be.
            earlier_ids: Ids that the post had before, oldest first.

        """
        if earlier_ids and row["edited_at"] is None:
            row["edited_at"] = row["published_at"]
        known = self._by_id.get(row["external_id"])
        if known is None:
            latest = next((e for e in reversed(earlier_ids) if e in self._by_id), None)
            if latest is None:
                return self._add_new(row, earlier_ids)
            known = self._by_id[latest]
            is_news = not known.is_deleted and self._add_version(known, row, latest)
        elif known.is_deleted:
            is_news = False
        elif known.row["external_id"] == row["external_id"]:
            is_news = _see_again(known, row)
        else:
            is_news = _see_older(known, row)
        self._touched[id(known)] = known
        self._learn_aliases(known, earlier_ids)
        return is_news

    def new_rows(self) -> list[dict[str, Any]]:
        """Return the rows of mentions that were not stored."""
        return [stored.row for stored in self._new]

    def edited(self) -> list[Stored]:
        """Return stored mentions whose text changed."""
        return [stored for stored in self._stored() if stored.is_edited]

    def recounted(self) -> list[Stored]:
        """Return stored mentions whose counts changed."""
        return [stored for stored in self._stored() if stored.is_recounted]

    def backdated(self) -> list[Stored]:
        """Return stored mentions of which only an older version became known."""
        return [stored for stored in self._stored() if stored.is_backdated and not stored.is_edited]

    def has_history(self) -> bool:
        """Say whether there are older versions or other ids to store."""
        return any(stored.old_versions or stored.new_aliases for stored in self._all())

    def versions(self, ids: Mapping[str, int], now: datetime) -> list[dict[str, Any]]:
        """Return the rows of older versions; `ids` are the row ids of new mentions."""
        return [
            {
                "mention_id": _row_id(stored, ids),
                "number": number,
                "external_id": external_id,
                "text": text,
                "until_at": stored.row["edited_at"] or now,
            }
            for stored in self._all()
            for number, external_id, text in stored.old_versions
        ]

    def aliases(self, ids: Mapping[str, int]) -> list[tuple[str, int]]:
        """Return other ids of mentions, each with the mention's row id."""
        return [
            (alias, _row_id(stored, ids))
            for stored in self._all()
            for alias in dict.fromkeys(stored.new_aliases)
        ]

    def _all(self) -> Iterator[Stored]:
        yield from self._stored()
        yield from self._new

    def _stored(self) -> Iterator[Stored]:
        return (stored for stored in self._touched.values() if stored.id is not None)

    def _add_new(self, row: dict[str, Any], earlier_ids: Sequence[str]) -> bool:
        stored = Stored(id=None, row=row)
        self._by_id[row["external_id"]] = stored
        self._new.append(stored)
        self._learn_aliases(stored, earlier_ids)
        return True

    def _add_version(self, known: Stored, row: dict[str, Any], earlier_id: str) -> bool:
        """Merge a post whose own id is new and that names one that is known."""
        current_id: str = known.row["external_id"]
        if earlier_id != current_id and row["edited_at"] < known.told_at:
            known.new_aliases.append(row["external_id"])
            self._by_id[row["external_id"]] = known
            return _see_older(known, row)
        known.take(row)
        known.count(row)
        known.new_aliases.append(current_id)
        self._by_id[row["external_id"]] = known
        return True

    def _learn_aliases(self, known: Stored, earlier_ids: Sequence[str]) -> None:
        for earlier in earlier_ids:
            if earlier not in self._by_id:
                known.new_aliases.append(earlier)
                self._by_id[earlier] = known


def _see_again(known: Stored, row: Mapping[str, Any]) -> bool:
    """Merge a post that is stored under the same id."""
    if row["text"] == known.row["text"]:
        known.count(row)
        return False
    edited_at, before = row["edited_at"], known.row["edited_at"]
    if before is not None and (edited_at is None or edited_at < before):
        return False
    known.take(row)
    known.count(row)
    return True


def _see_older(known: Stored, row: Mapping[str, Any]) -> bool:
    """Keep an older version that arrives after a newer one."""
    if row["external_id"] in known.version_ids:
        return False
    known.keep_version(row["external_id"], row["text"])
    known.is_backdated = True
    return True


def _row_id(stored: Stored, ids: Mapping[str, int]) -> int:
    return stored.id if stored.id is not None else ids[stored.row["external_id"]]
