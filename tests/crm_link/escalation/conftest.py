from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import MovableClock

SECRET = "made-up-secret-of-the-tests"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Give a web server that takes alerts."""
    monkeypatch.setenv("GROUNDSWELL_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("GROUNDSWELL_WEBHOOK_TIMEOUT_S", "2")
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()
