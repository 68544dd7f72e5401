"""Times that people put into forms: browsers send them without a zone, and mean the reader's."""

from __future__ import annotations

from datetime import UTC, datetime

from api.language import zone
from config.errors import InputError


def read_time(text: str, otherwise: datetime) -> datetime:
    """Return the time of a form's field, which is in the reader's zone, in UTC.

    `otherwise` where it was left empty.

    Raises:
        InputError: It is no time.

    """
    if not text.strip():
        return otherwise
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(
            "'%(text)s' is no time; write for example 2026-03-01 09:00", text=text
        ) from error
    local = moment.replace(tzinfo=zone()) if moment.tzinfo is None else moment
    return local.astimezone(UTC)
