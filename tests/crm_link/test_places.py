from __future__ import annotations

import pytest

from crm_link.linking.levels import PlaceLevel, WebLevel, compare, read_author, read_contact
from crm_link.linking.places import home_country, region_book

US = region_book("US")


def place(
    region: str,
    *,
    location: str = "",
    bio: str = "",
    display: str = "Jane Doe",
    handle: str = "",
    city: str = "",
    country: str | None = "US",
) -> PlaceLevel:
    book = region_book(country)
    author = read_author(
        display=display, handle=handle, bio=bio, location=location, links=(), book=book
    )
    return compare(author, read_contact("Jane Doe", region=region, city=city, book=book)).place


@pytest.mark.parametrize(
    ("region", "said", "found"),
    [
        ("OH", {"location": "Columbus, OH"}, PlaceLevel.AGREES),
        ("Ohio", {"location": "Columbus, OH 🌰"}, PlaceLevel.AGREES),
        ("OH", {"bio": "Proud Ohioan."}, PlaceLevel.AGREES),
        ("IL", {"location": "Chicago"}, PlaceLevel.AGREES),
        ("OH", {"location": "Boston, MA"}, PlaceLevel.CONFLICT),
        ("VA", {"bio": "from West Virginia"}, PlaceLevel.CONFLICT),
        ("IN", {"bio": "IN MY OPINION"}, PlaceLevel.HINTED),
        ("OH", {"handle": "JaneDoeOH"}, PlaceLevel.HINTED),
        ("MT", {"handle": "JaneForMontana"}, PlaceLevel.AGREES),
        ("OH", {"location": "Washington, DC"}, PlaceLevel.MISSING),
        ("OH", {"location": "the moon"}, PlaceLevel.MISSING),
        ("", {"location": "Columbus, OH"}, PlaceLevel.MISSING),
    ],
)
def test_whether_an_author_names_the_region(
    region: str, said: dict[str, str], found: PlaceLevel
) -> None:
    assert place(region, **said) is found


def test_a_region_that_no_list_has_and_a_town_are_known_by_their_words() -> None:
    assert place("Warrington North", bio="MP for Warrington North.", country=None) is (
        PlaceLevel.AGREES
    )
    assert place("", city="Köln", location="Köln, Germany", country=None) is PlaceLevel.AGREES
    assert place("Bayern", location="Munich, Bavaria", country="DE") is PlaceLevel.MISSING
    assert place("BY", location="München, Bayern", country="DE") is PlaceLevel.AGREES


def test_the_home_country_is_that_of_most_regions() -> None:
    assert home_country(["OH", "NY", "CA", "TX", "GU"]) == "US"
    assert home_country(["Bayern", "Hessen", "Saarland", "Berlin"]) == "DE"
    assert home_country(["OH"]) is None
    assert home_country(["alpha", "beta", "gamma", "delta"]) is None


@pytest.mark.parametrize(
    ("site", "link", "found"),
    [
        ("https://www.doe.example.gov", "http://doe.example.gov/", WebLevel.HOST),
        ("https://example.org/people/doe", "http://example.org/people/doe", WebLevel.PAGE),
        ("https://doe.example.gov", "https://roe.example.gov", WebLevel.SIBLING),
        ("https://doe.example.gov", "https://doe.example.org", WebLevel.OTHER),
        ("https://crowded.example.com/a", "https://crowded.example.com/b", WebLevel.SHARED_HOST),
        ("", "https://doe.example.org", WebLevel.MISSING),
        ("https://doe.example.org", "https://twitter.com/doe", WebLevel.MISSING),
    ],
)
def test_how_far_sites_agree(site: str, link: str, found: WebLevel) -> None:
    author = read_author(display="Jane Doe", handle="", bio="", location="", links=[link], book=US)
    contact = read_contact("Jane Doe", links=[site] if site else [], book=US)

    assert compare(author, contact, {"crowded.example.com"}).web is found
