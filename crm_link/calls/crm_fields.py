"""Our fields of a CRM record, and how a CRM's own fields are read as a contact. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from crm_link.contacts.contact_columns import find_columns
from crm_link.contacts.contact_rows import to_record
from crm_link.types import ContactRecord


class FieldKind(StrEnum):
    """What a field holds; each CRM has its own word for it."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class CrmField:
    """One field that enrichment writes.

    Args:
        name: Our name, `groundswell_...`.
        label: What people read in the CRM.
        kind: What it holds.
        digits: Digits behind the point of a number.
        help: What it means, shown beside the field where the CRM can.

    """

    name: str
    label: str
    kind: FieldKind
    digits: int = 0
    help: str = ""


#: All fields, in the order in which they are created.
CRM_FIELDS = (
    CrmField(
        "groundswell_handles",
        "Groundswell: accounts",
        FieldKind.TEXT,
        help="The person's confirmed accounts, as platform:handle.",
    ),
    CrmField(
        "groundswell_mentions",
        "Groundswell: mentions",
        FieldKind.NUMBER,
        help="How many of their posts mention us.",
    ),
    CrmField(
        "groundswell_last_mention_at",
        "Groundswell: last mention",
        FieldKind.TIME,
        help="When they last mentioned us.",
    ),
    CrmField(
        "groundswell_last_sentiment",
        "Groundswell: last sentiment",
        FieldKind.TEXT,
        help="Negative, neutral or positive toward us; empty where the platform's rules forbid it.",
    ),
    CrmField(
        "groundswell_average_sentiment",
        "Groundswell: average sentiment",
        FieldKind.NUMBER,
        digits=2,
        help="From -1 (negative) to +1 (positive).",
    ),
    CrmField(
        "groundswell_complaints",
        "Groundswell: complaints",
        FieldKind.NUMBER,
        help="How many of their posts are negative and ask for service, cancel or warn of a risk.",
    ),
    CrmField(
        "groundswell_lead_score",
        "Groundswell: lead score",
        FieldKind.NUMBER,
        help="0 to 100, of the last 90 days: wants to buy, asks, and speaks well of us.",
    ),
    CrmField(
        "groundswell_churn_score",
        "Groundswell: churn warning",
        FieldKind.NUMBER,
        help="0 to 100, of the last 90 days: wants to cancel, complains, is less content.",
    ),
    CrmField(
        "groundswell_segment",
        "Groundswell: segment",
        FieldKind.TEXT,
        help="Detractor, ordinary or promoter, by what they said in the last 90 days.",
    ),
    CrmField(
        "groundswell_open_incident",
        "Groundswell: open incident",
        FieldKind.TEXT,
        help="Open incidents that their posts belong to.",
    ),
)


class RecordReader:
    """Reads a CRM's records as contacts, by the names of their fields.

    Args:
        names: The fields that are asked for.
        mapping: Target to field, as `crm_link.contacts.contact_columns.find_columns` takes it.
        mapped: Those of the fields that the user named.
        relationship_source: Where the contacts come from, if their records do not say.

    Raises:
        InputError: The mapping names a field or a target that is not there.

    """

    def __init__(
        self,
        names: Iterable[str],
        mapping: Mapping[str, str],
        *,
        mapped: Iterable[str] = (),
        relationship_source: str | None = None,
    ) -> None:
        self.mapped = tuple(dict.fromkeys(mapped))
        self.names = tuple(dict.fromkeys(names))
        self._columns = find_columns(self.names, mapping)
        self._relationship_source = relationship_source

    def read(self, values: Mapping[str, Any], *, updated_at: datetime | None) -> ContactRecord:
        """Return the contact.

        Raises:
            ValueError: The record cannot be understood; the message says why.

        """
        cells = [_cell(values.get(name)) for name in self.names]
        record = to_record(cells, self._columns)
        return replace(
            record,
            updated_at=updated_at,
            relationship_source=record.relationship_source or self._relationship_source,
        )


def make_reader(
    defaults: Mapping[str, str], mapping: Mapping[str, str], relationship_source: str | None
) -> RecordReader:
    """Return what reads a CRM's records: its own names with the user's mapping over them.

    Args:
        defaults: Target to field, as the CRM comes.
        mapping: The user's; an empty field drops a target.
        relationship_source: Where the contacts come from, if their records do not say.

    Raises:
        InputError: The mapping names a field or a target that is not there.

    """
    merged = {target: names for target, names in {**defaults, **mapping}.items() if names}
    fields = [name for names in merged.values() for name in names.split("|")]
    mapped = [name for names in mapping.values() if names for name in names.split("|")]
    return RecordReader(fields, merged, mapped=mapped, relationship_source=relationship_source)


def capitalized(name: str) -> str:
    """Return a name as CRMs write it: groundswell_handles is Groundswell_Handles."""
    return "_".join(part.capitalize() for part in name.split("_"))


def is_same(one: Any, other: Any) -> bool:  # noqa: ANN401 - what a CRM field can be
    """Say whether two values of a field are the same to a person.

    CRMs give back numbers as text, times in other zones or digits, and nothing as empty text.
    """
    if one in (None, "") or other in (None, ""):
        return one in (None, "") and other in (None, "")
    if isinstance(one, bool) or isinstance(other, bool):
        return str(one).lower() == str(other).lower()
    numbers = [_number(one), _number(other)]
    if None not in numbers:
        return numbers[0] == numbers[1]
    times = [_time(one), _time(other)]
    if times[0] is not None and times[1] is not None:
        # To the second: some CRMs keep no more.
        return abs((times[0] - times[1]).total_seconds()) < 1
    return str(one) == str(other)


def _cell(value: Any) -> str:  # noqa: ANN401 - any JSON
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):  # Zoho's look-ups: {"name": ..., "id": ...}
        return _cell(value.get("name") or value.get("id"))
    return str(value)


def _number(value: Any) -> float | None:  # noqa: ANN401 - JSON
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _time(value: Any) -> datetime | None:  # noqa: ANN401 - JSON
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
