"""The fake networks, one server for all tests of this folder that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.networks import Networks, running_networks


@pytest.fixture(scope="session")
def _running_networks() -> Iterator[Networks]:
    with running_networks() as networks:
        yield networks


@pytest.fixture
def networks(_running_networks: Networks) -> Networks:
    """Give the fake networks, empty and without faults."""
    _running_networks.control.reset()
    return _running_networks
