"""An even sample of the rows of a table, the same one each time."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

#: Multiples of the golden ratio lie evenly between whole numbers, wherever one begins and however
#: many are left out in between (Knuth, The Art of Computer Programming 3, 6.4). Ids alone would
#: not do: posts that come from several sources in turn have ids with a common divisor.
_RATIO, _WHOLE = 2_654_435_769, 2**32

#: Ids are taken modulo this, so that no product is beyond 64 bits.
_IDS = 2**31


def one_of(every: int, id_column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Return the condition that holds for one of `every` rows, by their ids."""
    return id_column % _IDS * _RATIO % _WHOLE < _WHOLE // every
