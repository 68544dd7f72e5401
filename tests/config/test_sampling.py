"""An even sample is as large as it should be, whatever ids have in common."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from sqlalchemy import BigInteger, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from config.sampling import one_of

_ROWS = 4_000


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    __tablename__ = "sampled_row"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


@pytest.mark.parametrize("step", [1, 3, 16, 1_000])
def test_one_of_n_is_an_even_part_whatever_the_ids_have_in_common(
    sessions: sessionmaker[Session], step: int
) -> None:
    with sessions.begin() as session:
        _store(session, (number * step for number in range(1, _ROWS + 1)))
        for every in (2, 7, 48):
            halves = [
                session.scalar(
                    select(func.count()).where(one_of(every, _Row.id), _Row.id.between(*ends))
                )
                for ends in ((1, _ROWS // 2 * step), (_ROWS // 2 * step + 1, _ROWS * step))
            ]
            assert halves == [pytest.approx(_ROWS / 2 / every, abs=4, rel=0.01)] * 2, every


def test_ids_beyond_32_bits_are_sampled_too(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        _store(session, (2**61 + number for number in range(1_000)))
        found = session.scalar(select(func.count()).where(one_of(10, _Row.id)))
    assert found == pytest.approx(100, abs=4)


def _store(session: Session, ids: Iterable[int]) -> None:
    _Base.metadata.create_all(session.connection())
    session.execute(insert(_Row), [{"id": one} for one in ids])
