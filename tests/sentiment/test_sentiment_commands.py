from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from api.commands.sentiment import evaluate_app, sentiment_app
from config.db import make_engine, make_sessions
from config.errors import NotFoundError
from config.migrate import upgrade
from config.settings import Settings
from sentiment.corrections import correct_label
from sentiment.scorer import make_scorer
from sentiment.service import score_mentions
from sentiment.types import Label
from tests.make import NOW
from tests.sentiment.scored import store_texts


def _file(path: Path, *rows: dict[str, object]) -> Path:
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return path


def test_the_command_prints_tables_and_writes_all_figures(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": "I love it, great", "label": "positive", "lang": "en"}
    ] * 30
    rows += [{"text": "awful, I hate it", "label": "negative", "lang": "en"}] * 30
    path = _file(tmp_path / "set.jsonl", *rows)
    target = tmp_path / "figures.json"

    result = CliRunner().invoke(
        evaluate_app, ["sentiment", str(path), "--scorer", "vader", "--json", str(target)]
    )

    assert result.exit_code == 0, result.output
    assert "said negative" in result.output
    found = orjson.loads(target.read_bytes())
    assert found["overall"]["accuracy"] == 1
    assert found["by_lang"]["en"]["rows"] == 60
    assert found["scorer"].startswith("vader-")


def test_recalibrating_without_corrections_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))

    result = CliRunner().invoke(sentiment_app, ["recalibrate"])

    assert result.exit_code == 0, result.output
    assert "no corrections yet" in result.output


def test_recalibrating_a_brand_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))

    result = CliRunner().invoke(sentiment_app, ["recalibrate", "--brand", "initech"])

    assert isinstance(result.exception, NotFoundError)
    assert "there is no brand 'initech'" in str(result.exception)


def test_recalibrating_shows_each_brand_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    engine = make_engine(Settings(home=tmp_path).resolved_database_url())
    upgrade(engine)
    sessions = make_sessions(engine)
    (mention_id,) = store_texts(sessions, "Acme is awful and broken")
    score_mentions(sessions, make_scorer("vader"), [mention_id])
    with sessions.begin() as session:
        correct_label(session, mention_id, Label.NEGATIVE, by="ana", clock=lambda: NOW)
    engine.dispose()

    result = CliRunner().invoke(sentiment_app, ["recalibrate"])

    assert result.exit_code == 0, result.output
    assert "30 corrections are needed" in " ".join(result.output.split())
