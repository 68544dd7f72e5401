from __future__ import annotations

from pathlib import Path

import pytest

from api.commands.demo import _settings
from config.settings import Settings
from crm_link.crms.csv_file import CsvFileCrm
from crm_link.types import ContactUpdate


def test_the_demo_writes_into_no_file_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, home = tmp_path / "own.csv", tmp_path / "demo"
    for name in ("HOME", "SECRET_KEY"):
        monkeypatch.setenv(f"GROUNDSWELL_{name}", "the user's")  # put back afterwards
    monkeypatch.setenv("GROUNDSWELL_CSV_FILE_OUT", str(own))
    monkeypatch.setenv("GROUNDSWELL_CSV_FILE_PATH", str(own))

    _settings(Settings(), home, None, None)
    CsvFileCrm().write([ContactUpdate("1", {"groundswell_mentions": 1}, "key")])

    assert not own.exists()
    assert (home / "enriched_contacts.csv").exists()
