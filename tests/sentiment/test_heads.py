"""The heads beside the polarity: emotion, irony, offence."""

import pytest

from sentiment.heads import EMOTIONS, HeadScorer, HeadScores
from sentiment.scorer import Scorer, make_scorer
from sentiment.types import ScorableText


def test_a_text_that_no_head_reads_has_no_scores() -> None:
    assert HeadScores() == HeadScores(emotion=None, p_emotion={}, irony=None, offensive=None)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return make_scorer("onnx")


def test_the_bundled_scorer_reads_heads_and_judges_as_without_them(scorer: Scorer) -> None:
    assert isinstance(scorer, HeadScorer)
    texts = [
        ScorableText("I am so furious with your support, pick up the damn phone"),
        ScorableText("So sad today, I miss my grandmother"),
        ScorableText("The pizza was wonderful but the waiter was rude", targets=("pizza",)),
    ]

    found = scorer.score_with_heads(texts)

    assert [sentiment for sentiment, _ in found] == scorer.score(texts)
    for _, heads in found:
        assert set(heads.p_emotion) == set(EMOTIONS)
        assert sum(heads.p_emotion.values()) == pytest.approx(1)
        assert heads.emotion == max(heads.p_emotion, key=heads.p_emotion.__getitem__)
        assert 0 <= (heads.irony or 0) <= 1
        assert 0 <= (heads.offensive or 0) <= 1
    assert [heads.emotion for _, heads in found[:2]] == ["anger", "sadness"]


def test_an_insult_is_more_offensive_than_a_complaint(scorer: Scorer) -> None:
    assert isinstance(scorer, HeadScorer)

    (_, insult), (_, complaint) = scorer.score_with_heads(
        [
            ScorableText("you are all stupid idiots and liars, shut up"),
            ScorableText("the parcel arrived two days late"),
        ]
    )

    assert (insult.offensive or 0) > 0.5 > (complaint.offensive or 0)


def test_a_language_whose_heads_were_not_measured_has_none(scorer: Scorer) -> None:
    assert isinstance(scorer, HeadScorer)

    found = scorer.score_with_heads(
        [
            ScorableText("Das war der schlechteste Kundendienst, den ich je erlebt habe"),
            ScorableText("これは本当にひどいサービスです。二度と買いません。"),
        ]
    )

    assert [heads for _, heads in found] == [HeadScores(), HeadScores()]
