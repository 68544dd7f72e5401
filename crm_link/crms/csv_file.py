"""A CRM that is two CSV files: contacts come from one, enrichment goes to the other.

Limits: a file knows no deletions (unless it has a column `deleted`), so a contact that is
missing from a later file stays. The enriched file is written whole at each write, under a
lock, to a temporary file that then takes its name: a reader sees the old or the new one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError, PermanentError, TransientError
from config.phrases import phrase
from config.settings import Settings, read_settings, settings_prefix
from crm_link.calls.crm_fields import CRM_FIELDS
from crm_link.contacts.contact_columns import Columns, ColumnsMissingError, find_columns
from crm_link.contacts.contact_rows import to_record
from crm_link.contacts.csv_tables import CsvRows, digest_of, open_table, read_keyed, write_keyed
from crm_link.crm import Crm
from crm_link.types import ContactPage, ContactRecord, ContactUpdate, WriteResult

#: Contacts in one page.
PAGE_SIZE = 1000

#: How long a writer waits for another process, in seconds.
LOCK_TIMEOUT_S = 30.0

#: The column of the enriched file that holds the CRM's id.
KEY = "id"

_REFUSED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.EEXIST}
)


class CsvFileSettings(BaseSettings):
    """Settings of the CSV adapter."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_CSV_FILE_", extra="ignore", frozen=True
    )

    path: Path | None = Field(default=None, description="CSV file that contacts are synced from.")
    out: Path | None = Field(
        default=None,
        description="CSV file that enrichment is written to; empty means enriched_contacts.csv "
        "in the home folder, with the account behind an underscore if there is one.",
    )


class CsvFileCrm(Crm):
    """Contacts from a CSV or TSV file, enrichment into another one."""

    batch_size = 5000

    def __init__(
        self,
        path: Path | None = None,
        *,
        mapping: Mapping[str, str] | None = None,
        out: Path | None = None,
        account: str = "",
    ) -> None:
        """Read `path` and write `out`; what is not given comes from the settings.

        Args:
            path: The file with contacts.
            mapping: Target to header, see `crm_link.contacts.contact_columns.find_columns`.
            out: The file that enrichment goes to.
            account: Which of several pairs of files.

        """
        settings = read_settings(CsvFileSettings, account)
        self._setting = f"{settings_prefix(CsvFileSettings, account)}PATH"
        self._path = path or settings.path
        self._mapping = mapping
        name = f"enriched_contacts_{account}.csv" if account else "enriched_contacts.csv"
        self._out = out or settings.out or read_settings(Settings).home / name

    @property
    def has_contacts(self) -> bool:
        """Whether a file to sync from is named."""
        return self._path is not None

    def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
        """Yield all contacts, or none where the file is still the one of `cursor`.

        The cursor is the file's SHA-256, and comes with the last page only.
        """
        path = self._source()
        digest = digest_of(path)
        if digest == cursor:
            return
        page: list[ContactRecord] = []
        rejected: list[str] = []
        with open_table(path) as rows:
            for record in self._records(rows, rejected):
                page.append(record)
                if len(page) == PAGE_SIZE:
                    yield ContactPage(tuple(page), None, tuple(rejected))
                    page, rejected[:] = [], []
            yield ContactPage(tuple(page), digest, tuple(rejected))

    def write(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Put each update into its row of the enriched file; a later one replaces it."""
        with self._rows_to_change() as (header, rows):
            for update in updates:
                row = rows.setdefault(update.external_id, {})
                row.update({name: _cell(value) for name, value in update.fields.items()})
                # All of our columns, also those that no record has anything in yet.
                names = (*(field.name for field in CRM_FIELDS), *update.fields)
                header.extend(name for name in dict.fromkeys(names) if name not in header)
        return [WriteResult(update.external_id) for update in updates]

    def forget(self, external_ids: Sequence[str]) -> int:
        """Remove the rows of the enriched file; the file that contacts come from is not ours."""
        if not self._out.exists():
            return 0
        with self._rows_to_change() as (_, rows):
            return sum(rows.pop(one, None) is not None for one in external_ids)

    @contextmanager
    def _rows_to_change(self) -> Iterator[tuple[list[str], dict[str, dict[str, str]]]]:
        """Give the enriched file's header and rows, which are written as they are at the end."""
        try:
            self._out.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._out}.lock", timeout=LOCK_TIMEOUT_S):
                header, rows = read_keyed(self._out, KEY)
                yield header, rows
                write_keyed(self._out, KEY, header, rows)
        except Timeout as error:
            raise TransientError(
                phrase("%(out)s is locked by another process", out=self._out)
            ) from error
        except OSError as error:
            msg = phrase(
                "%(out)s cannot be written: %(strerror)s", out=self._out, strerror=error.strerror
            )
            if error.errno in _REFUSED:
                raise PermanentError(msg) from error
            raise TransientError(msg) from error

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the rows of the enriched file; a contact without one has an empty row."""
        _, rows = read_keyed(self._out, KEY)
        return {external_id: rows.get(external_id, {}) for external_id in external_ids}

    def check(self) -> None:
        """Say whether the files can be used: the source's columns, the target's folder."""
        if self._path is not None:
            with open_table(self._source()) as rows:
                self._columns(rows)
        folder = self._out.resolve().parent
        if folder.exists() and not os.access(folder, os.W_OK):
            raise PermanentError(
                phrase(
                    "the folder %(folder)s of the enriched contacts is not writable", folder=folder
                )
            )

    def _source(self) -> Path:
        if self._path is None:
            msg = phrase(
                "no contact file is set: set %(setting)s, or import one", setting=self._setting
            )
            raise InputError(msg)
        return self._path

    def _columns(self, rows: CsvRows) -> Columns:
        try:
            return find_columns(rows.header, self._mapping)
        except ColumnsMissingError as error:
            hint = phrase("for example --map id='Customer No' --map name='Full Name'")
            raise InputError(
                "%(path)s: %(problem)s. Say which is which, %(hint)s",
                path=str(self._path),
                problem=str(error),
                hint=hint,
            ) from error
        except InputError as error:
            raise InputError(phrase("%(path)s: %(error)s", path=self._path, error=error)) from error

    def _records(self, rows: CsvRows, rejected: list[str]) -> Iterator[ContactRecord]:
        columns = self._columns(rows)
        seen: dict[str, int] = {}
        for line, cells in rows:
            if isinstance(cells, str):
                rejected.append(f"line {line}: {cells}")
                continue
            try:
                record = to_record(cells, columns)
            except ValueError as error:
                rejected.append(f"line {line}: {error}")
                continue
            first = seen.setdefault(record.external_id, line)
            if first != line:
                rejected.append(f"line {line}: has the id of line {first} again; the first is kept")
                continue
            yield record


def _cell(value: str | float | bool | None) -> str:  # noqa: FBT001 - what a CRM field can be
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
