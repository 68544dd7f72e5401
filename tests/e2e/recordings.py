"""The recordings of real platforms, and what their posts go through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from config.settings import Settings
from crm_link.escalation.protocols import Protocols
from sentiment.scorer import make_scorer


def recorded_files(shared: Path, platform: str) -> list[Path]:
    folder = shared / "recorded" / platform
    if not folder.is_dir():
        pytest.skip(f"there are no recordings of {platform} at {folder}")
    return sorted(folder.iterdir())


def work_through(sessions: sessionmaker[Session], home: Path) -> None:
    """Send what was stored through the rest of the pipeline."""
    Engine(
        settings=Settings(home=home),
        sessions=sessions,
        scorer=make_scorer("vader"),
        protocols=Protocols(sessions, {}),
    ).work_backlog()


def answers_in(path: Path) -> Path | list[Any]:
    """Return the recording itself where it is a file of X, else the answers in it."""
    if path.suffix == ".jsonl":
        return path
    recorded = json.loads(path.read_text("utf-8"))
    if isinstance(recorded, dict) and "interactions" in recorded:
        return [one["response"]["json"] for one in recorded["interactions"]]
    return path
