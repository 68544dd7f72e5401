from __future__ import annotations

import pytest

from sentiment.language import AGREED, UNDETERMINED, find_language
from sentiment.scorer import Scorer, make_scorer
from sentiment.types import Label, ScorableText


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The parcel was here on Monday", "en"),
        ("El paquete llegó roto y nadie contesta", "es"),
        ("Das Paket ist immer noch nicht da", "de"),
        ("LE COLIS N'EST TOUJOURS PAS ARRIVÉ", "fr"),
        ("الطرد لم يصل بعد والخدمة سيئة", "ar"),
        ("पार्सल अभी तक नहीं आया", "hi"),
        ("荷物がまだ届きません", "ja"),
        ("lol", UNDETERMINED),
    ],
)
def test_the_language_is_found(text: str, code: str) -> None:
    assert find_language(text).code == code


@pytest.mark.parametrize("text", ["😡😡", "https://t.co/x", "@acme 12345", "Acme!!"])
def test_what_has_no_letters_of_its_own_has_no_language(text: str) -> None:
    found = find_language(text, names=("Acme",))

    assert (found.code, found.has_letters) == (UNDETERMINED, False)


def test_the_platform_is_believed_where_we_cannot_tell_and_makes_us_sure() -> None:
    assert find_language("lol", "es-MX").code == "es"
    assert find_language("lol", "und").code == UNDETERMINED
    unsure = "la casa is nice"
    alone = find_language(unsure)

    assert alone.probability < AGREED
    assert find_language(unsure, alone.code).probability == AGREED


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return make_scorer("onnx")


def test_emoji_are_judged_and_what_says_nothing_is_unknown(scorer: Scorer) -> None:
    texts = ["😍😍", "😡 @acme", "https://t.co/x", "Acme!!"]

    found = scorer.score([ScorableText(text, ("Acme",)) for text in texts])

    assert [one.label for one in found] == [
        Label.POSITIVE,
        Label.NEGATIVE,
        Label.UNKNOWN,
        Label.UNKNOWN,
    ]
