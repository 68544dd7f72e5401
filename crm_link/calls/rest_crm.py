"""What the CRMs that are called over HTTP share: their contacts' pages, our fields, tokens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from config.errors import InputError
from crm_link.calls.budgets import Limit, Meter
from crm_link.calls.crm_fields import CRM_FIELDS, CrmField, RecordReader
from crm_link.calls.rest import RestClient
from crm_link.crm import Crm
from crm_link.types import ContactPage, ContactRecord, ContactUpdate, RecordKind, WriteResult

Record = Mapping[str, Any]


class Token:
    """The token of signed-in calls, fetched when the first one needs it.

    Args:
        word: What stands before it in the header, such as Bearer.
        sign_in: Gets a new one.

    """

    def __init__(self, word: str, sign_in: Callable[[], str]) -> None:
        self._word = word
        self._sign_in = sign_in
        self._value = ""

    def headers(self) -> dict[str, str]:
        """Return the headers of a signed-in call."""
        if not self._value:
            self.renew()
        return {"Authorization": f"{self._word} {self._value}"}

    def renew(self) -> None:
        """Get a new token."""
        self._value = self._sign_in()


class RecordDesk(Protocol):
    """What opens cases and notes in one CRM."""

    def read(self, kind: RecordKind, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return what the records with these keys say; one that is not there is left out."""

    def write(self, kind: RecordKind, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Make, change and take away records; return one result each, in order."""

    def setup(self) -> list[str]:
        """Create what the records need, where it is not there; return the created names."""


class RestCrm(Crm):
    """A CRM that is called over HTTP.

    Args:
        api: Its client.
        reader: What understands its contacts.

    """

    #: What opens its cases and notes; every plugin sets its own.
    _desk: RecordDesk

    def __init__(self, api: RestClient, reader: RecordReader) -> None:
        self._api = api
        self._reader = reader
        self._names = {field.name: self.api_name(field.name) for field in CRM_FIELDS}

    @staticmethod
    def api_name(name: str) -> str:
        """Return what one of our fields is called in this CRM."""
        return name

    def write(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Write the records; each has a result of its own."""
        results = self._send(updates) if updates else {}
        return [
            results.get(update.external_id, WriteResult(update.external_id)) for update in updates
        ]

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return our fields of these contacts."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(external_ids), self.batch_size):
            records = self._records(external_ids[start : start + self.batch_size])
            for one, record in records.items():
                found[one] = {name: record.get(api) for name, api in self._names.items()}
        return found

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits of calls to this account."""
        return self._api.limits.of

    def use_meter(self, meter: Meter) -> None:
        """Let `meter` count the calls from now on."""
        self._api.meter = meter

    def read_records(
        self, kind: RecordKind, keys: Sequence[str]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return what our cases or notes say."""
        return self._desk.read(kind, keys)

    def write_records(
        self, kind: RecordKind, updates: Sequence[ContactUpdate]
    ) -> list[WriteResult]:
        """Write cases or notes."""
        return self._desk.write(kind, updates)

    def setup_records(self) -> list[str]:
        """Create what cases and notes need."""
        return self._desk.setup()

    def _check_mapping(self, field_names: Callable[[], Iterable[str]]) -> None:
        """Refuse a mapping that names a field which the CRM's contacts have not.

        Some CRMs leave it out without a word, and then, for example, nobody would be known not
        to want to be contacted. `field_names` asks the CRM, and only if there is a mapping.
        """
        if not self._reader.mapped:
            return
        there = {name.lower() for name in field_names()}
        # A path (Owner.Name) leads to another object, which the CRM itself refuses if unknown.
        unknown = [
            name
            for name in self._reader.mapped
            if "." not in name and name.lower() not in {*there, "id"}
        ]
        if unknown:
            raise InputError(
                "the mapping names %(fields)s: its contacts have no such field",
                fields=", ".join(unknown),
            )

    def close(self) -> None:
        """Give up the connections."""
        self._api.close()

    def _missing(self, known: Iterable[str]) -> list[CrmField]:
        """Return our fields that are not among those that the CRM knows, in any case."""
        there = {name.lower() for name in known}
        return [field for field in CRM_FIELDS if self._names[field.name].lower() not in there]

    def _written(self, update: ContactUpdate) -> dict[str, Any]:
        """Return an update's fields by the CRM's names."""
        return {self._names.get(name, name): value for name, value in update.fields.items()}

    @abstractmethod
    def _send(self, updates: Sequence[ContactUpdate]) -> dict[str, WriteResult]:
        """Write records in one call; return what became of them, at least of those that failed."""

    @abstractmethod
    def _records(self, external_ids: Sequence[str]) -> Mapping[str, Record]:
        """Return our fields, by the CRM's names, of at most a batch of contacts that are there."""


def with_gone(page: ContactPage, external_ids: Sequence[str]) -> ContactPage:
    """Return a page of contacts that were asked for, with those deleted that are not there."""
    there = {one.external_id for one in page.contacts}
    # What is there and not understood is left as it was.
    kept = " ".join(page.rejected)
    gone = (
        ContactRecord(one, is_deleted=True)
        for one in external_ids
        if one not in there and f"contact {one}:" not in kept
    )
    return replace(page, contacts=(*page.contacts, *gone))


def page_of(
    reader: RecordReader,
    records: Iterable[Record],
    cursor: str | None,
    *,
    values: Callable[[Record], Record] = lambda one: one,
    updated_at: Callable[[Record], datetime | None],
    gone: Callable[[Record], Iterable[str]],
    key: str = "id",
) -> ContactPage:
    """Return the contacts of an answer; a record that is not understood is named, not lost.

    Args:
        reader: What understands a record.
        records: The answer's records.
        cursor: Where the next page starts.
        values: The fields of a record.
        updated_at: When it was changed.
        gone: Ids of contacts that are gone, by this record: itself, or merged into it.
        key: Where a record has its id.

    """
    found: list[ContactRecord] = []
    rejected: list[str] = []
    for one in records:
        lost = tuple(gone(one))
        found.extend(ContactRecord(name, is_deleted=True) for name in lost)
        if one[key] in lost:
            continue
        try:
            found.append(reader.read(values(one), updated_at=updated_at(one)))
        except ValueError as error:
            rejected.append(f"contact {one[key]}: {error}")
    return ContactPage(tuple(found), cursor, tuple(rejected))
