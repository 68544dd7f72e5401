"""How long X finds texts."""

from __future__ import annotations

import pytest

from listener.x_api.length import MAX_WEIGHT, weighted_length


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("We are on it.", 13),
        ("¿Dónde está?", 12),
        ("Cafe\u0301", 4),  # two code points, one sign
        ("日本語", 6),
        ("👍", 2),
        ("👨‍👩‍👧‍👦 and 🇪🇸", 2 + 5 + 2),
        ("“quoted”…", 10),  # typographic quotes are light, the ellipsis is not
        ("https://acme.example/help", 23),
        ("See https://acme.com/a/very/long/path?with=query#and-more.", 4 + 23 + 1),
        ("at acme.com, or acme.co.uk/help", 3 + 23 + 5 + 23),
        ("v1.2 of readme.txtt", 19),
        ("write to help@acme.com", 22),
        ("@acme.com", 9),
        ("a\nb", 3),
    ],
)
def test_weights_are_those_of_x(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


def test_280_fit_and_140_of_the_heavy_ones() -> None:
    assert weighted_length("a" * 280) == MAX_WEIGHT == weighted_length("語" * 140)
