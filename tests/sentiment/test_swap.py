"""A model is swapped while the system runs: the bundled models as version 1, then as version 2."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from config.settings import Settings
from crm_link.escalation.protocols import Protocols
from listener.models import Brand
from sentiment.calibration import LEAST_CORRECTIONS
from sentiment.corrections import correct_label
from sentiment.history import Judge, judgements_of
from sentiment.late_scorer import LateScorer
from sentiment.recalibration import recalibrate
from sentiment.scorer import make_scorer
from sentiment.scorers.onnx import BUNDLED
from sentiment.types import Label
from tests.make import NOW, make_mention
from tests.sentiment.scored import assert_rollups_exact, mention_of, store_texts

TEXTS = ("I love the new Acme phone, best purchase this year", "Worst service ever, Acme. Awful")


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give folders of the English model that differ in the version only."""
    found = {}
    for version in ("v1", "v2"):
        folder = tmp_path_factory.mktemp(version) / "en"
        shutil.copytree(BUNDLED / "en", folder)
        about = json.loads((folder / "groundswell.json").read_text("utf-8"))
        (folder / "groundswell.json").write_text(json.dumps(about | {"version": version}), "utf-8")
        found[version] = folder
    return found


def _engine(sessions: sessionmaker[Session], folder: Path) -> Engine:
    return Engine(
        settings=Settings(),
        sessions=sessions,
        scorer=LateScorer(f"onnx:{folder}"),
        protocols=Protocols(sessions, {}),
        clock=lambda: NOW,
        lexicon=make_scorer("vader"),
    )


def test_a_new_version_judges_everything_again_and_the_old_scores_stay(
    sessions: sessionmaker[Session], versions: dict[str, Path]
) -> None:
    ids = store_texts(sessions, *TEXTS)
    first, second = (_engine(sessions, versions[name]) for name in ("v1", "v2"))
    first.process()
    assert first.rescore() == 0

    assert second.rescore() == 2
    new = store_texts(sessions, "Acme opens at nine on Monday")  # goes its way meanwhile
    second.work_backlog()
    assert mention_of(sessions, new[0]).topic is not None
    assert_rollups_exact(sessions)
    assert second.process() == 3

    assert second.rescore() == 0
    assert_rollups_exact(sessions)
    for mention_id in ids:
        with sessions() as session:
            told = judgements_of(session, mention_id)
        assert [(one.who, one.scorer.rpartition("-")[2]) for one in told] == [
            (Judge.MODEL, "v2"),
            (Judge.MODEL, "v1"),
        ]
        assert told[0].label == told[1].label
        assert mention_of(sessions, mention_id).pending is None


def test_corrections_recalibrate_the_default_scorer_and_what_it_judged_follows(
    sessions: sessionmaker[Session], versions: dict[str, Path]
) -> None:
    engine = _engine(sessions, versions["v1"])
    (judged,) = store_texts(sessions, "The Acme shop in the station opens at ten on Sunday")
    with sessions.begin() as session:
        brand = session.scalars(select(Brand)).one()
        ids = [
            make_mention(session, brand, text=f"The Acme shop opens at {number}").id
            for number in range(2 * LEAST_CORRECTIONS)
        ]
    engine.process()
    before = mention_of(sessions, judged)
    # People of this brand see a fault in most of what the model calls neutral.
    dice = np.random.default_rng(1)
    with sessions.begin() as session:
        for mention_id in ids:
            label = Label.NEGATIVE if dice.random() < 0.6 else Label.NEUTRAL
            correct_label(session, mention_id, label, by="ana", clock=lambda: NOW)
        (found,) = recalibrate(session, None, clock=lambda: NOW)

    assert found.trial.is_used, found.trial.reason
    engine.process()
    while engine.rescore():
        engine.process()

    after = mention_of(sessions, judged)
    assert (before.scorer, after.scorer) == (found.scorer, f"{found.scorer}~1")
    assert (before.p_negative or 0) + 0.1 < (after.p_negative or 0)
    assert_rollups_exact(sessions)
