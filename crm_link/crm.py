"""The contract of a CRM: contacts in, enrichment out.

Several CRMs, and several accounts of one, are used side by side. Each is known by the name that
`GROUNDSWELL_CRM` has for it (`hubspot`, `hubspot:emea`), which stands in the column `crm` of
contacts, cursors, outbox and journal, so that nothing of one is ever taken for another's.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from config.errors import InputError
from config.plugins import load_plugin, plugin_names
from crm_link.calls.budgets import Limit, Meter
from crm_link.types import ContactPage, ContactUpdate, RecordKind, WriteResult

FOLDER = "crm_link.crms"

#: A plugin, and one of its accounts behind a colon; together as long as a contact's column.
_NAME = re.compile(r"[a-z0-9_]{1,24}(:[a-z0-9_]{1,15})?")


class Crm(ABC):
    """A customer relationship management system.

    Raises, from every method:
        TransientError: It failed or limits us.
        PermanentError: Credentials or permissions were refused.
        InputError: Settings or a file are wrong; the message names them.
    """

    #: Records that one `write` takes at most.
    batch_size: int = 100

    #: What it can open beside contacts.
    kinds: frozenset[RecordKind] = frozenset()

    def __init__(self, *, account: str = "") -> None:
        """Read the settings, those of one of several accounts where it is named."""
        del account

    @property
    def has_contacts(self) -> bool:
        """Whether contacts are to be synced from here, as it is set up."""
        return True

    @abstractmethod
    def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
        """Yield contacts changed since `cursor`; all of them where it is None."""

    @abstractmethod
    def write(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Write each update to its record; return one result each, in order.

        Writing an update twice must have the effect of writing it once.
        """

    def read(self, external_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]] | None:
        """Return what our fields hold now, by record; a record that is not there is left out.

        None says that this CRM cannot tell.
        """
        del external_ids
        return None

    def forget(self, external_ids: Sequence[str]) -> int:
        """Remove rows of these records that are ours alone; return how many there were.

        Called when a person is erased, after our fields were cleared. A CRM whose records are
        the company's has none.
        """
        del external_ids
        return 0

    def read_records(
        self, kind: RecordKind, keys: Sequence[str]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return what the cases or notes with our keys say; one that is not there is left out."""
        del kind, keys
        return {}

    def write_records(
        self, kind: RecordKind, updates: Sequence[ContactUpdate]
    ) -> list[WriteResult]:
        """Write each case or note, made where it is not there; return one result each, in order.

        An update's `external_id` is our key, its fields are those of `CASE_FIELDS` or
        `NOTE_FIELDS` that are to be written; all of them None takes the record away. Writing an
        update twice must have the effect of writing it once.
        """
        raise NotImplementedError(f"this CRM has no records of the kind {kind}, for {updates}")

    def contacts_of(self, external_ids: Sequence[str]) -> ContactPage | None:
        """Return these contacts as they are now, at most a batch; those that are gone say so.

        None says that this CRM cannot tell.
        """
        del external_ids
        return None

    def setup(self) -> list[str]:
        """Create those of our fields that are not there yet; return the names of the created."""
        return []

    def setup_records(self) -> list[str]:
        """Create what cases and notes need, where it is not there; return the created names."""
        return []

    def check(self) -> None:
        """Make the cheapest call that shows whether credentials and address are right."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits of calls to this account."""
        return ()

    def use_meter(self, meter: Meter) -> None:
        """Let `meter` count the calls from now on."""
        del meter

    def close(self) -> None:
        """Give up connections."""


def crm_names() -> tuple[str, ...]:
    """Return the names of all CRMs."""
    return plugin_names(FOLDER)


def kinds_of(name: str) -> frozenset[RecordKind]:
    """Return what the CRM called `name` can open beside contacts; nothing if it is no plugin."""
    try:
        kind: type[Crm] = load_plugin(FOLDER, name.partition(":")[0], Crm)  # type: ignore[type-abstract]
    except InputError:
        return frozenset()
    return kind.kinds


def crms_in(said: str) -> tuple[str, ...]:
    """Return the names of CRMs in a list such as `hubspot, hubspot:emea, tryton`, in order.

    Raises:
        InputError: One of them cannot be a name, or stands there twice.

    """
    names = tuple(part for part in (one.strip() for one in said.split(",")) if part)
    for place, name in enumerate(names):
        if not _NAME.fullmatch(name):
            msg = (
                f"GROUNDSWELL_CRM: '{name}' is no CRM; it is a plugin's name, or PLUGIN:ACCOUNT "
                "in small letters, digits and _ (an account has 15 at most)"
            )
            raise InputError(msg)
        if name in names[:place]:
            raise InputError(f"GROUNDSWELL_CRM names {name} twice")
    return names


def make_crm(name: str) -> Crm:
    """Return the CRM called `name`, signed in with the settings of the environment.

    Args:
        name: A plugin, or one of its accounts, as `hubspot:emea`.

    Raises:
        InputError: There is no such plugin, or its settings are wrong.

    """
    plugin, _, account = name.partition(":")
    kind: type[Crm] = load_plugin(FOLDER, plugin, Crm)  # type: ignore[type-abstract]
    return kind(account=account)


def make_crms(said: str) -> dict[str, Crm]:
    """Return the CRMs of a list such as GROUNDSWELL_CRM, by name, in its order."""
    return {name: make_crm(name) for name in crms_in(said)}
