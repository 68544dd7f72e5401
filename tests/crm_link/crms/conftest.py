"""Each fake CRM on a loopback server, and the plugin that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crm_link.crm import Crm, make_crm
from tests.crm_link.crms.hubspot import FakeHubspot
from tests.crm_link.crms.salesforce import FakeSalesforce
from tests.crm_link.crms.server import FakeCrm, served
from tests.crm_link.crms.zoho import FakeZoho

_FAKES = {fake.name: fake for fake in (FakeHubspot, FakeSalesforce, FakeZoho)}


@pytest.fixture(params=sorted(_FAKES))
def fake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCrm]:
    made: FakeCrm = _FAKES[request.param]()
    with served(made):
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def crm(fake: FakeCrm) -> Iterator[Crm]:
    made = make_crm(fake.name)
    yield made
    made.close()
