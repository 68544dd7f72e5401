"""Contacts in a fake CRM, and what enrichment writes into them."""

from __future__ import annotations

from typing import Any

from crm_link.calls.crm_fields import CRM_FIELDS
from crm_link.crm import Crm
from crm_link.types import ContactRecord, ContactUpdate
from tests.crm_link.crms.server import FakeCrm


def number(count: int) -> str:
    # As long as Salesforce's ids, and in order.
    return f"{count:015d}"


def fill(fake: FakeCrm, count: int) -> None:
    for place in range(count):
        fake.add(number(place), first="Ann", last=f"Lee{place}", email=f"ann{place}@example.com")


def read(crm: Crm, cursor: str | None = None) -> tuple[list[ContactRecord], str | None]:
    records: list[ContactRecord] = []
    for page in crm.contacts(cursor):
        records.extend(page.contacts)
        assert page.rejected == ()
        cursor = page.cursor or cursor
    return records, cursor


def update(external_id: str, **changes: Any) -> ContactUpdate:
    fields = dict.fromkeys((field.name for field in CRM_FIELDS), None) | {
        "groundswell_handles": "x:ann",
        "groundswell_mentions": 3,
        "groundswell_last_mention_at": "2026-05-04T08:00:00+00:00",
        "groundswell_average_sentiment": -0.25,
    }
    return ContactUpdate(external_id, fields | changes, f"k:{external_id}")
