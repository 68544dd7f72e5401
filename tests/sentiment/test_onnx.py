"""The bundled models through the scorer's contract."""

from collections.abc import Sequence

import numpy as np
import pytest

from config.errors import InputError
from sentiment.scorer import Scorer, make_scorer
from sentiment.scorers.onnx import BUNDLED, OnnxModel, readable, softmax
from sentiment.types import Label, ScorableText, Sentiment

TEXTS = (
    "I love the new phone, best purchase this year",
    "Worst service ever, I want my money back",
    "The shop opens at nine on Monday",
    "so angry right now",
    "thanks for the quick help!",
    "Is this available in blue?",
    "I waited a week for the parcel and it came without the lid. " * 12,
    "ok",
)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return make_scorer("onnx")


def _labels(found: Sequence[Sentiment]) -> list[Label]:
    return [sentiment.label for sentiment in found]


def test_plain_texts_get_the_label_that_anyone_would_give(scorer: Scorer) -> None:
    found = scorer.score([ScorableText(text) for text in TEXTS[:5]])

    assert _labels(found) == [
        Label.POSITIVE,
        Label.NEGATIVE,
        Label.NEUTRAL,
        Label.NEGATIVE,
        Label.POSITIVE,
    ]


def test_probabilities_sum_to_one_and_agree_with_label_score_and_confidence(scorer: Scorer) -> None:
    for found in scorer.score([ScorableText(text) for text in TEXTS]):
        chances = {
            Label.NEGATIVE: found.p_negative,
            Label.NEUTRAL: found.p_neutral,
            Label.POSITIVE: found.p_positive,
        }
        assert sum(chance or 0 for chance in chances.values()) == pytest.approx(1)
        assert found.confidence == chances[found.label]
        assert found.confidence == max(chance or 0 for chance in chances.values())
        assert found.score == pytest.approx((found.p_positive or 0) - (found.p_negative or 0))


def test_a_text_is_judged_the_same_whatever_is_scored_beside_it(scorer: Scorer) -> None:
    together = scorer.score([ScorableText(text) for text in TEXTS])
    alone = [scorer.score([ScorableText(text)])[0] for text in TEXTS]

    assert _labels(together) == _labels(alone)
    for one, other in zip(together, alone, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-4)


def test_two_brands_in_one_sentence_get_different_answers(scorer: Scorer) -> None:
    text = "The pizza was wonderful but the waiter was rude and slow."

    found = scorer.score([ScorableText(text, targets=(name,)) for name in ("pizza", "waiter")])

    assert _labels(found) == [Label.POSITIVE, Label.NEGATIVE]


def test_a_language_that_no_model_was_trained_in_is_unknown(scorer: Scorer) -> None:
    (found,) = scorer.score([ScorableText("これは本当にひどいサービスです。二度と買いません。")])

    assert found.label is Label.UNKNOWN
    assert found.lang == "ja"
    assert found.confidence == 0


@pytest.mark.parametrize(
    ("text", "lang", "label"),
    [
        ("Este teléfono es una maravilla, me encanta", "es", Label.POSITIVE),
        ("Das war der schlechteste Kundendienst, den ich je erlebt habe", "de", Label.NEGATIVE),
        ("Je déteste cette application, elle est nulle", "fr", Label.NEGATIVE),
        ("Adoro questo ristorante, cibo fantastico", "it", Label.POSITIVE),
        ("Que atendimento horrível, nunca mais compro aqui", "pt", Label.NEGATIVE),
    ],
)
def test_other_languages_are_read(scorer: Scorer, text: str, lang: str, label: Label) -> None:
    (found,) = scorer.score([ScorableText(text)])

    assert (found.lang, found.label) == (lang, label)


def test_of_several_names_the_one_in_the_text_is_the_target() -> None:
    text = ScorableText("the Fizz is flat, says @bob", targets=("Acme Cola", "@Fizz"))

    assert readable(text) == ("the Fizz is flat, says @user", "Fizz")


def test_a_text_that_names_no_target_is_judged_as_a_whole() -> None:
    assert readable(ScorableText("worst service ever", targets=("Acme",))) == (
        "worst service ever",
        None,
    )


def test_a_handle_becomes_the_name_of_the_target() -> None:
    assert readable(ScorableText("why, @AcmeCola", targets=("Acme Cola",))) == (
        "why, Acme Cola",
        "Acme Cola",
    )


def test_a_text_that_speaks_to_the_brand_is_judged_as_a_whole() -> None:
    text = ScorableText("@AcmeCola why is it flat?", targets=("Acme Cola",))

    assert readable(text) == ("@user why is it flat?", None)


def test_a_text_that_speaks_to_two_is_judged_toward_the_target() -> None:
    text = ScorableText("@AcmeCola better than @fizz", targets=("Acme Cola", "@fizz"))

    assert readable(text) == ("Acme Cola better than @user", "Acme Cola")


def test_no_texts_give_no_judgements(scorer: Scorer) -> None:
    assert scorer.score([]) == []


def test_the_version_names_the_models(scorer: Scorer) -> None:
    assert scorer.version.startswith("onnx/groundswell-en-")


def test_every_judgement_names_a_version_of_the_scorer(scorer: Scorer) -> None:
    texts = [*TEXTS, "これは本当にひどいサービスです。二度と買いません。"]

    found = scorer.score([ScorableText(text) for text in texts])

    assert {sentiment.scorer for sentiment in found} <= scorer.versions


def test_a_folder_without_a_model_is_refused_with_its_name() -> None:
    with pytest.raises(InputError, match=r"groundswell\.json is missing"):
        make_scorer("onnx:/nowhere")


def test_the_bundled_models_stay_below_sixty_megabytes() -> None:
    size = sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file())

    assert size < 60_000_000


def test_every_bundled_folder_says_what_it_needs() -> None:
    for folder in sorted(path for path in BUNDLED.iterdir() if path.is_dir()):
        model = OnnxModel(folder)
        assert model.languages
        assert model.logits([("a text", None), ("a text", "text")]).shape == (2, 3)


def test_softmax_gives_probabilities_for_large_logits() -> None:
    found = softmax(np.array([[1000.0, 1000.0, -1000.0], [0.0, 0.0, 0.0]]))

    np.testing.assert_allclose(found, [[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]], atol=1e-12)
