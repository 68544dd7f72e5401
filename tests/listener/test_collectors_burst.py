"""A burst between two polls: every post that can be reached is stored, the rest is a gap."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from listener.models import Mention
from listener.types import GapKind
from tests.benchmarks.bench_burst_collect import KINDS, burst
from tests.listener.worlds import World, XSearch
from tests.networks import Networks


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_burst_is_stored_as_far_as_the_platform_shows_it(
    networks: Networks, sessions: sessionmaker[Session], kind: type[World]
) -> None:
    outcome = burst(networks, sessions, kind, 1_500)

    assert outcome.stored == outcome.reachable
    if kind is XSearch:
        assert outcome.reachable == 1_500
        assert outcome.gaps == []
    else:
        [gap] = outcome.gaps
        assert gap.kind is GapKind.HORIZON
        assert gap.from_at is not None
        assert gap.to_at is not None
        with sessions() as session:
            # What was lost lies within the gap: it ends where the stored ones begin.
            stored = session.query(Mention.published_at).order_by(Mention.published_at)
            assert gap.to_at in {at for (at,) in stored}
