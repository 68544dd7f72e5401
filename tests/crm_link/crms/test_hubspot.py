"""What HubSpot alone does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crm_link.crm import Crm, make_crm
from tests.crm_link.crms.hubspot import FakeHubspot
from tests.crm_link.crms.records import fill, number, update
from tests.crm_link.crms.server import served


@pytest.fixture
def hubspot(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHubspot]:
    fake = FakeHubspot()
    with served(fake):
        for name, value in fake.environment().items():
            monkeypatch.setenv(name, value)
        yield fake


@pytest.fixture
def crm(hubspot: FakeHubspot) -> Iterator[Crm]:
    made = make_crm(hubspot.name)
    yield made
    made.close()


def test_an_error_that_names_no_record_is_of_those_not_written(
    hubspot: FakeHubspot, crm: Crm
) -> None:
    fill(hubspot, 2)
    answer = {"results": [{"id": number(0)}], "errors": [{"category": "INTERNAL_ERROR"}]}
    hubspot.faults = [("batch/update", (207, answer))]

    first, second = crm.write([update(number(0)), update(number(1))])

    assert first.error is None
    assert second.error is not None
    assert second.is_transient
