"""What every part of a crisis protocol stands on: severities, and strict models."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict

from config.language import LANGUAGES
from config.phrases import phrase

#: Severities, the worst first.
LEVELS = ("SEV-1", "SEV-2", "SEV-3", "SEV-4")

Level = Literal["SEV-1", "SEV-2", "SEV-3", "SEV-4"]

#: Severities that wake people: quiet hours do not hold for them unless the file says so.
WAKING_LEVELS = frozenset({"SEV-1", "SEV-2"})


class Strict(BaseModel):
    """A part of the file: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def known_language(name: str) -> str:
    """Return the code of a language; ValueError where nothing is written in it."""
    if name not in LANGUAGES:
        msg = phrase(
            "nothing is written in '%(name)s'; known: %(known)s",
            name=name,
            known=", ".join(LANGUAGES),
        )
        raise ValueError(msg)
    return name


def known_zone(name: str) -> str:
    """Return the name of a time zone; ValueError where there is none of it."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = phrase(
            "'%(name)s' is no time zone; write for example Europe/Madrid or UTC", name=name
        )
        raise ValueError(msg) from error
    return name
