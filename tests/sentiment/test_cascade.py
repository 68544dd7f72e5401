"""The cascade: a second model for what the first is unsure of."""

from pathlib import Path

import pytest

from config.errors import InputError
from sentiment.scorer import Scorer, make_scorer
from sentiment.types import Label, ScorableText
from tests.sentiment.tiny_model import make_onnx_model

SURE = ScorableText("I love the new phone, best purchase this year")
OTHERS = (
    ScorableText("so the update is here, good that they tell us after it broke"),
    ScorableText("it opens and closes"),
    ScorableText("bad, but what did you think"),
)


@pytest.fixture
def cascade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scorer:
    make_onnx_model(tmp_path)
    monkeypatch.setenv("GROUNDSWELL_CASCADE_BELOW", "0.9")
    return make_scorer(f"cascade:transformers:{tmp_path}")


def test_only_what_the_first_is_unsure_of_is_given_to_the_second(
    cascade: Scorer, tmp_path: Path
) -> None:
    texts = (SURE, *OTHERS)
    alone = make_scorer("onnx").score(texts)
    others = make_scorer(f"transformers:{tmp_path}").score(texts)

    found = cascade.score(texts)

    assert {judged.confidence < 0.9 for judged in alone} == {True, False}
    for before, other, after in zip(alone, others, found, strict=True):
        if before.confidence >= 0.9:
            assert after == before
        else:
            assert after.p_negative == pytest.approx(
                ((before.p_negative or 0) + (other.p_negative or 0)) / 2
            )
            assert after.confidence == max(
                after.p_negative or 0, after.p_neutral or 0, after.p_positive or 0
            )
            assert after.scorer == cascade.version


def test_every_judgement_names_a_version_of_the_cascade(cascade: Scorer) -> None:
    found = cascade.score((SURE, *OTHERS))

    assert {judged.scorer for judged in found} <= cascade.versions
    assert "cascade-0.9/" in cascade.version


def test_a_text_that_nobody_reads_stays_unknown(cascade: Scorer) -> None:
    found = cascade.score([ScorableText("これは新しい電話です、とても良いです")])

    assert found[0].label is Label.UNKNOWN


def test_heads_of_the_first_stay_where_the_second_has_none(cascade: Scorer) -> None:
    found = cascade.score_with_heads(OTHERS)

    assert all(heads.emotion for _, heads in found)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("cascade", "needs, after the colon"),
        ("cascade:cascade:vader", "cannot be a cascade"),
        ("cascade:nothing_of_the_kind", "nothing_of_the_kind"),
    ],
)
def test_a_cascade_without_a_second_scorer_is_refused(setting: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make_scorer(setting)
