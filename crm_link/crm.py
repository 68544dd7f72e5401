"""The contract of a CRM: contacts in, enrichment out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from config.plugins import load_plugin, plugin_names
from crm_link.types import ContactPage, ContactUpdate, WriteResult

FOLDER = "crm_link.crms"


class Crm(ABC):
    """A customer relationship management system.

    Raises, from every method:
        TransientError: It failed or limits us.
        PermanentError: Credentials or permissions were refused.
        InputError: Settings or a file are wrong; the message names them.
    """

    #: Records that one `write` takes at most.
    batch_size: int = 100

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

    def setup(self) -> list[str]:
        """Create those of our fields that are not there yet; return the names of the created."""
        return []

    def check(self) -> None:
        """Make the cheapest call that shows whether credentials and address are right."""

    def close(self) -> None:
        """Give up connections."""


def crm_names() -> tuple[str, ...]:
    """Return the names of all CRMs."""
    return plugin_names(FOLDER)


def make_crm(name: str) -> Crm:
    """Return the CRM plugin `name`, signed in with the settings of the environment.

    Raises:
        InputError: There is no such plugin, or its settings are wrong.

    """
    kind: type[Crm] = load_plugin(FOLDER, name, Crm)  # type: ignore[type-abstract]
    return kind()
