from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from config.db import is_sqlite
from sentiment.claims import BLOCK, claimed

IDS = [*range(3 * BLOCK, 0, -1)]


def _is_sqlite(sessions: sessionmaker[Session]) -> bool:
    with sessions() as session:
        return is_sqlite(session)


def test_two_workers_judge_different_mentions_and_the_first_come_first(
    sessions: sessionmaker[Session],
) -> None:
    with claimed(sessions, IDS, limit=100) as first:
        assert first == IDS[:100]
        with claimed(sessions, IDS, limit=100) as second:
            if _is_sqlite(sessions):
                assert second == first  # there is one worker only
            else:
                assert second == [one for one in IDS if one // BLOCK < 2][:100]
                with claimed(sessions, first, limit=100) as third:
                    assert third == []


def test_what_was_claimed_is_free_afterwards(sessions: sessionmaker[Session]) -> None:
    for _ in range(2):
        with claimed(sessions, IDS, limit=10) as found:
            assert found == IDS[:10]


def test_nothing_to_claim_gives_nothing(sessions: sessionmaker[Session]) -> None:
    with claimed(sessions, [], limit=10) as found:
        assert found == []
