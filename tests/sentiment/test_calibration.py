from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from listener.models import Brand, Mention
from sentiment.calibration import (
    Calibration,
    Kind,
    fit,
    try_calibrations,
)
from sentiment.corrections import correct_label
from sentiment.evaluate import POLARITIES
from sentiment.models import BrandCalibration
from sentiment.recalibration import Recalibrated, recalibrate
from sentiment.rescoring import rescore_outdated
from sentiment.scorer import Scorer
from sentiment.service import score_mentions
from sentiment.types import Label, ScorableText, Sentiment, unknown
from tests.make import NOW, make_brand, make_mention
from tests.sentiment.scored import assert_rollups_exact, mention_of

Floats = Any


def _world(rows: int, *, scale: float, shift: Sequence[float], seed: int = 1) -> tuple[Floats, Any]:
    """Draw what a model says and what is true, where truth is a bent version of it."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(0, 2.0, (rows, 3))
    said = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    true = Calibration(Kind.VECTOR, scale, (shift[0], shift[1], shift[2])).bend(said)
    truth = np.array([draw.choice(3, p=chances) for chances in true])
    return said, truth


def test_the_temperature_of_an_overconfident_model_is_found() -> None:
    said, truth = _world(4000, scale=0.4, shift=(0, 0, 0))

    assert fit(Kind.TEMPERATURE, said, truth).scale == pytest.approx(0.4, abs=0.04)


def test_the_shifts_of_a_model_that_overcalls_negatives_are_found() -> None:
    said, truth = _world(6000, scale=0.8, shift=(-1.2, 0, 0.5))

    found = fit(Kind.VECTOR, said, truth)

    assert found.scale == pytest.approx(0.8, abs=0.08)
    assert found.shift == pytest.approx((-1.2, 0, 0.5), abs=0.15)


def test_a_calibration_that_helps_is_used() -> None:
    trial = try_calibrations(*_world(300, scale=0.35, shift=(0, 0, 0)))

    assert trial.is_used
    assert trial.log_loss_after < trial.log_loss_before
    assert trial.ece_after < trial.ece_before


def test_a_bias_of_the_brand_is_mended_by_a_vector() -> None:
    trial = try_calibrations(*_world(400, scale=1.0, shift=(-2.0, 0, 0)))

    assert trial.calibration.kind is Kind.VECTOR
    assert trial.calibration.shift[0] < -1


@pytest.mark.parametrize("seed", range(6))
def test_a_calibrated_model_is_hardly_ever_changed_and_never_by_much(seed: int) -> None:
    trial = try_calibrations(*_world(120, scale=1.0, shift=(0, 0, 0), seed=seed))

    assert 0.6 < trial.calibration.scale < 1.6
    assert trial.log_loss_after <= trial.log_loss_before


def test_most_calibrated_models_are_left_alone() -> None:
    used = [
        try_calibrations(*_world(120, scale=1.0, shift=(0, 0, 0), seed=seed)).is_used
        for seed in range(30)
    ]

    assert sum(used) <= 8


def test_few_corrections_teach_nothing() -> None:
    trial = try_calibrations(*_world(29, scale=0.3, shift=(0, 0, 0)))

    assert not trial.is_used
    assert trial.reason == "30 corrections are needed"


def test_corrections_of_mistakes_alone_teach_nothing() -> None:
    said, truth = _world(300, scale=0.35, shift=(0, 0, 0))
    wrong = said.argmax(axis=1) != truth

    trial = try_calibrations(said[wrong], truth[wrong])

    assert not trial.is_used
    assert "0 of" in trial.reason


def test_what_was_bent_can_be_taken_back() -> None:
    said, _ = _world(50, scale=1, shift=(0, 0, 0))
    said = np.maximum(said, 0.01)
    said /= said.sum(axis=1, keepdims=True)
    calibration = Calibration(Kind.VECTOR, 0.6, (-0.4, 0.0, 0.3))

    assert np.allclose(calibration.unbend(calibration.bend(said)), said, atol=1e-6)


def test_applying_names_the_version_and_leaves_unknown_unknown() -> None:
    calibration = Calibration(Kind.VECTOR, 1.0, (-3.0, 0.0, 0.0), version=2)
    found = Sentiment(Label.NEGATIVE, -0.3, 0.5, 0.3, 0.2, 0.5, "en", "m/1")

    bent = calibration.apply(found)

    assert (bent.label, bent.scorer) == (Label.NEUTRAL, "m/1~2")
    assert (bent.p_negative or 0) + (bent.p_neutral or 0) + (bent.p_positive or 0) == pytest.approx(
        1, abs=1e-3
    )
    assert calibration.apply(unknown("de", "m/1")) == unknown("de", "m/1~2")


class Overconfident(Scorer):
    """Says what a text like "0.98 0.01 0.01" tells it to say."""

    version = "overconfident/1"

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        return [self._one(text.text) for text in texts]

    def _one(self, text: str) -> Sentiment:
        down, level, up = (float(part) for part in text.split()[:3])
        best = int(np.argmax([down, level, up]))
        confidence = max(down, level, up)
        return Sentiment(
            POLARITIES[best], up - down, down, level, up, confidence, "en", self.version
        )


def _corrected_world(
    sessions: sessionmaker[Session], *, scale: float, rows: int = 150
) -> tuple[int, list[int]]:
    """Score mentions with a model and let a person say the truth about each."""
    said, truth = _world(rows, scale=scale, shift=(0, 0, 0))
    with sessions.begin() as session:
        brand = make_brand(session, key="acme")
        ids = [
            make_mention(session, brand, text=" ".join(f"{p:.4f}" for p in one) + f" {n}").id
            for n, one in enumerate(said)
        ]
    score_mentions(sessions, Overconfident(), ids)
    with sessions.begin() as session:
        for mention_id, label in zip(ids, truth, strict=True):
            session.get_one(Mention, mention_id).pending = None
            correct_label(session, mention_id, POLARITIES[label], by="ana", clock=lambda: NOW)
        return brand.id, ids


def _recalibrate(sessions: sessionmaker[Session], brand: str | None = None) -> list[Recalibrated]:
    with sessions.begin() as session:
        return recalibrate(session, brand, clock=lambda: NOW)


def test_a_brand_s_corrections_calibrate_its_next_mentions(
    sessions: sessionmaker[Session],
) -> None:
    brand_id, _ = _corrected_world(sessions, scale=0.3)

    (found,) = _recalibrate(sessions)

    assert (found.brand, found.scorer, found.trial.is_used) == ("acme", "overconfident/1", True)
    with sessions.begin() as session:
        brand = session.get_one(Brand, brand_id)
        mention = make_mention(session, brand, text="0.9 0.05 0.05")
        other = make_mention(session, make_brand(session), text="0.9 0.05 0.05")
    score_mentions(sessions, Overconfident(), [mention.id, other.id])
    bent, plain = mention_of(sessions, mention.id), mention_of(sessions, other.id)
    assert bent.scorer == "overconfident/1~1"
    assert (bent.confidence or 1) < 0.75
    assert (plain.scorer, plain.confidence) == ("overconfident/1", 0.9)
    assert_rollups_exact(sessions)


def test_recalibrating_twice_on_the_same_corrections_changes_nothing(
    sessions: sessionmaker[Session],
) -> None:
    _corrected_world(sessions, scale=0.3)
    _recalibrate(sessions)

    _recalibrate(sessions, "acme")

    with sessions() as session:
        rows = session.scalars(select(BrandCalibration)).all()
    assert [(row.version, row.is_active) for row in rows] == [(1, True)]


def test_what_was_judged_before_is_outdated_and_learning_again_sees_through_it(
    sessions: sessionmaker[Session],
) -> None:
    _, ids = _corrected_world(sessions, scale=0.3)
    (first,) = _recalibrate(sessions)
    with sessions.begin() as session:
        for mention in session.scalars(select(Mention)):
            mention.pending = None

    with sessions.begin() as session:
        assert rescore_outdated(session, {"overconfident/1"}, limit=1000) == len(ids)
    score_mentions(sessions, Overconfident(), ids)
    with sessions.begin() as session:
        for mention in session.scalars(select(Mention)):
            mention.pending = None
        assert rescore_outdated(session, {"overconfident/1"}, limit=1000) == 0

    (second,) = _recalibrate(sessions)

    assert second.trial.calibration.scale == pytest.approx(first.trial.calibration.scale, abs=0.02)
    assert second.trial.log_loss_before == pytest.approx(first.trial.log_loss_before, abs=0.02)


def test_a_good_model_is_left_alone(sessions: sessionmaker[Session]) -> None:
    _corrected_world(sessions, scale=1.0)

    (found,) = _recalibrate(sessions)

    assert not found.trial.is_used
    with sessions() as session:
        assert session.scalars(select(BrandCalibration)).all() == []


def test_another_brand_is_not_looked_at(sessions: sessionmaker[Session]) -> None:
    _corrected_world(sessions, scale=0.3, rows=40)

    assert _recalibrate(sessions, "initech") == []
