"""`groundswell protocol`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from tests.crm_link.escalation.test_protocol_advice import GOOD


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "protocol.yaml"
    path.write_text(GOOD, "utf-8")
    return path


def test_lint_says_what_is_wrong_and_exits_so_that_a_script_knows(path: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["protocol", "lint", str(path), "--errors-only"]).exit_code == 0
    path.write_text(GOOD.replace("ack: 5m", "ack: 5"), "utf-8")

    result = runner.invoke(app, ["protocol", "lint", str(path), "--json"])

    assert result.exit_code == 1
    assert '"line": 25' in result.stdout
    assert '"level": "error"' in result.stdout
    missing = runner.invoke(app, ["protocol", "lint", str(path.with_name("none.yaml"))])
    assert "cannot be read" in str(missing.exception)


def test_show_is_a_plan_that_people_read(path: Path) -> None:
    result = CliRunner().invoke(app, ["protocol", "show", str(path), "--severity", "SEV-1"])

    assert result.exit_code == 0, result.output
    assert "acknowledge within 5m; holding statement within 15m" in result.stdout
    assert "40 negative mentions in 1h" in result.stdout
    assert "SEV-2" not in result.stdout


def test_diff_exits_with_one_where_something_changed(path: Path) -> None:
    other = path.with_name("other.yaml")
    other.write_text(GOOD.replace("repeat: 2", "repeat: 4"), "utf-8")

    same = CliRunner().invoke(app, ["protocol", "diff", str(path), str(path)])
    changed = CliRunner().invoke(app, ["protocol", "diff", str(path), str(other)])

    assert (same.exit_code, changed.exit_code) == (0, 1)
    assert "escalation.default.repeat  2 -> 4" in changed.stdout
