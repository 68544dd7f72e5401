"""Many made-up contacts in a CRM: a fake one, a real Tryton server, or a file."""

from __future__ import annotations

import csv
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from tests.crm_link.crms.hubspot import FakeHubspot
from tests.crm_link.crms.salesforce import FakeSalesforce
from tests.crm_link.crms.server import FakeCrm, served
from tests.crm_link.crms.tryton_server import DATABASE, tryton_server
from tests.crm_link.crms.zoho import FakeZoho

FAKES: dict[str, type[FakeCrm]] = {
    "hubspot": FakeHubspot,
    "salesforce": FakeSalesforce,
    "zoho": FakeZoho,
}

#: All that can be measured. Tryton's server is a real one, from the environment that
#: GROUNDSWELL_TEST_TRYTON names.
SOURCES = (*FAKES, "tryton", "csv_file")


@contextmanager
def contacts_in(name: str, count: int) -> Iterator[Mapping[str, str]]:
    """Give the settings of a CRM that holds so many contacts."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if name == "csv_file":
            yield {"GROUNDSWELL_CSV_FILE_PATH": str(_file(folder, count))}
        elif name == "tryton":
            environment = Path(os.environ["GROUNDSWELL_TEST_TRYTON"])
            with tryton_server(environment, folder, before=lambda: _parties(folder, count)) as made:
                yield made.environment()
        else:
            fake = FAKES[name]()
            for number in range(count):
                fake.add(
                    f"{number:015d}",
                    first=f"Ann{number % 997}",
                    last=f"Lee{number}",
                    email=f"ann{number}@example.com",
                    phone=f"+34600{number:06d}",
                    x=f"ann{number}",
                )
            with served(fake):
                yield fake.environment()


def _file(folder: Path, count: int) -> Path:
    path = folder / "contacts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "first_name", "last_name", "email", "phone", "x_handle"])
        rows.writerows(
            [
                *(f"{number:015d}", f"Ann{number % 997}", f"Lee{number}"),
                *(f"ann{number}@example.com", f"+34600{number:06d}", f"ann{number}"),
            ]
            for number in range(count)
        )
    return path


def _parties(folder: Path, count: int) -> None:
    """Put parties into the server's database, as it would: by its own calls it takes hours."""
    now = "2026-01-01 00:00:00"
    with closing(sqlite3.connect(folder / "db" / f"{DATABASE}.sqlite")) as database, database:
        (first,) = database.execute("SELECT coalesce(max(id), 0) + 1 FROM party_party").fetchone()
        database.executemany(
            "INSERT INTO party_party (id, active, code, create_date, create_uid, name) "
            "VALUES (?, 1, ?, ?, 1, ?)",
            (
                (first + number, f"B{number}", now, f"Ann{number % 997} Lee{number}")
                for number in range(count)
            ),
        )
        for kind, name, form in (
            ("email", None, "ann{}@example.com"),
            ("phone", None, "+34600{:06d}"),
            ("other", "x", "ann{}"),
        ):
            database.executemany(
                "INSERT INTO party_contact_mechanism "
                "(active, create_date, create_uid, name, party, type, value, value_compact) "
                "VALUES (1, ?, 1, ?, ?, ?, ?, ?)",
                (
                    (now, name, first + number, kind, form.format(number), form.format(number))
                    for number in range(count)
                ),
            )
