"""Every collector keeps what collectors must keep; see `conformance`."""

from __future__ import annotations

import pytest

from tests.listener.conformance import CollectorConformance
from tests.listener.worlds import WORLDS, World
from tests.networks import Networks


@pytest.fixture(params=WORLDS, ids=lambda kind: kind.name)
def world(request: pytest.FixtureRequest, networks: Networks) -> World:
    """Give each kind of source with empty networks."""
    kind: type[World] = request.param
    return kind(networks)


class TestCollectors(CollectorConformance):
    """All of `conformance`, for all kinds of source."""
