"""What the filters of the lists offer."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from api.formats import platform, words
from crm_link.mentions import list_brands, list_platforms
from crm_link.types import Priority
from sentiment.types import Label

Options = list[tuple[str, str]]


def filter_options(session: Session) -> dict[str, Options]:
    """Return the choices of every filter as (value, text)."""
    return {
        "brand_options": brand_options(session),
        "platform_options": [(name, platform(name)) for name in list_platforms(session)],
        "priority_options": _plain(Priority),
        "label_options": _plain(Label),
    }


def brand_options(session: Session) -> Options:
    """Return the brands as (key, name)."""
    return [(brand.key, brand.name) for brand in list_brands(session)]


def _plain(values: Iterable[str]) -> Options:
    return [(str(value), words(value)) for value in values]
