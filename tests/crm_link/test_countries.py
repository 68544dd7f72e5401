from __future__ import annotations

import pytest

from crm_link.linking.countries import country_of


@pytest.mark.parametrize(
    ("location", "country"),
    [
        ("Austin, TX", "US"),
        ("London", "GB"),
        ("London, Ontario", "CA"),
        ("Paris, France", "FR"),
        ("Paris, TX", "US"),
        ("Madrid, España", "ES"),
        ("São Paulo, Brasil", "BR"),
        ("İstanbul", "TR"),
        ("🇩🇪", "DE"),
        ("🇩🇪 🇫🇷", None),
        ("Georgia", None),
        ("IN", None),
        ("can", None),
        ("the moon", None),
        ("", None),
        (",", None),
    ],
)
def test_a_stated_place_names_its_country_or_none(location: str, country: str | None) -> None:
    assert country_of(location) == country
