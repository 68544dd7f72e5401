"""Calibrations by brand: learned from corrections, kept by version, used by scoring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from config.clock import Clock
from listener.models import Brand, Mention
from sentiment.calibration import Calibration, Kind, Trial, try_calibrations
from sentiment.evaluate import POLARITIES
from sentiment.fast_lane import is_provisional
from sentiment.models import BrandCalibration, Correction
from sentiment.types import Label


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """What recalibrating one brand for one scorer came to."""

    brand: str
    scorer: str
    trial: Trial


class Calibrations:
    """The active calibrations of some brands, by brand and scorer."""

    def __init__(self, session: Session, brand_ids: Collection[int]) -> None:
        rows = session.scalars(
            select(BrandCalibration).where(
                BrandCalibration.brand_id.in_(brand_ids), BrandCalibration.is_active
            )
        )
        self._active = {
            (row.brand_id, row.scorer): Calibration.of(row.kind, row.parameters, row.version)
            for row in rows
        }

    def find(self, brand_id: int, scorer: str) -> Calibration | None:
        """Return the brand's calibration of a scorer, None if it has none."""
        return self._active.get((brand_id, scorer))

    def current(self, brand_id: int, versions: Collection[str]) -> set[str]:
        """Return what today's judgements of a brand name as their scorer."""
        return {
            f"{version}~{found.version}" if (found := self.find(brand_id, version)) else version
            for version in versions
        }


def base_scorer(scorer: str) -> str:
    """Return a judgement's scorer without the calibration that was put on it."""
    return scorer.partition("~")[0]


def recalibrate(session: Session, brand_key: str | None, *, clock: Clock) -> list[Recalibrated]:
    """Learn from the corrections of a brand, or of all; return what came of each.

    A calibration becomes active only where held-out corrections say that it helps; one that
    they no longer support is switched off. Mentions judged before become outdated by it, and
    are rescored in the background.
    """
    pairs = _corrected(session, brand_key)
    result = []
    for (brand_id, brand, scorer), (chances, truth) in sorted(pairs.items()):
        trial = try_calibrations(np.array(chances), np.array(truth))
        result.append(Recalibrated(brand, scorer, trial))
        _keep(session, brand_id, scorer, trial, clock)
    return result


def _keep(session: Session, brand_id: int, scorer: str, trial: Trial, clock: Clock) -> None:
    place = (BrandCalibration.brand_id == brand_id, BrandCalibration.scorer == scorer)
    active = session.scalar(select(BrandCalibration).where(*place, BrandCalibration.is_active))
    found = trial.calibration
    if active is not None and trial.is_used:
        before = Calibration.of(active.kind, active.parameters, 0)
        if before == replace(found, version=0):
            return  # The same again: a new version would rescore every mention for nothing.
    session.execute(
        update(BrandCalibration).where(*place, BrandCalibration.is_active).values(is_active=False)
    )
    if not trial.is_used:
        return
    last = session.scalar(select(func.max(BrandCalibration.version)).where(*place))
    session.add(
        BrandCalibration(
            brand_id=brand_id,
            scorer=scorer,
            version=(last or 0) + 1,
            is_active=True,
            kind=found.kind.value,
            parameters=found.to_parameters(),
            corrections=trial.corrections,
            log_loss_before=trial.log_loss_before,
            log_loss_after=trial.log_loss_after,
            ece_before=trial.ece_before,
            ece_after=trial.ece_after,
            fitted_at=clock(),
        )
    )
    session.flush()


_Pairs = dict[tuple[int, str, str], tuple[list[list[float]], list[int]]]


def _corrected(session: Session, brand_key: str | None) -> _Pairs:
    """Return what the model said and what is true, by brand and scorer."""
    query = (
        select(Correction, Brand.id, Brand.key)
        .join(Mention, Mention.id == Correction.mention_id)
        .join(Brand, Brand.id == Mention.brand_id)
        .where(Correction.ended_at.is_(None), Correction.model_p_negative.is_not(None))
        .order_by(Correction.id)
    )
    if brand_key is not None:
        query = query.where(Brand.key == brand_key)
    past = {
        (row.brand_id, row.scorer, row.version): Calibration.of(row.kind, row.parameters, 0)
        for row in session.scalars(select(BrandCalibration))
    }
    pairs: _Pairs = defaultdict(lambda: ([], []))
    for correction, brand_id, key in session.execute(query):
        if correction.model_scorer is None or is_provisional(correction.model_scorer):
            continue
        base, _, version = correction.model_scorer.partition("~")
        calibration = past.get((brand_id, base, int(version or 0)), Calibration(Kind.NONE))
        said = [
            correction.model_p_negative,
            correction.model_p_neutral,
            correction.model_p_positive,
        ]
        chances, truth = pairs[brand_id, key, base]
        chances.append(list(calibration.unbend(np.array([said], dtype=float))[0]))
        truth.append(POLARITIES.index(Label(correction.label)))
    return pairs
