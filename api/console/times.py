"""Times that people put into forms: browsers send them without a zone, and ours are UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from config.errors import InputError


def read_time(text: str, otherwise: datetime) -> datetime:
    """Return the time of a form's field, in UTC; `otherwise` where it was left empty.

    Raises:
        InputError: It is no time.

    """
    if not text.strip():
        return otherwise
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(
            "'%(text)s' is no time; write for example 2026-03-01 09:00, in UTC", text=text
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
