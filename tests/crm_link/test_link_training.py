from __future__ import annotations

import random

import pytest

from config.errors import InputError
from crm_link.contacts.file_rows import AuthorRow
from crm_link.context import LinkContext
from crm_link.linking.facts import Profile
from crm_link.linking.levels import NameLevel, PlaceLevel
from crm_link.linking_training.train import Method, train
from crm_link.types import ContactRecord

CONTEXT = LinkContext("k", "US")
GIVEN = ("jane", "robert", "ada", "jon", "mary", "william", "elizabeth", "noor", "ivan", "li")
FAMILY = ("tavares", "quimby", "lindqvist", "okafor", "smith", "jones", "ito", "wolf", "berg")
REGIONS = ("OH", "TX", "NY", "CA")


def made_up() -> tuple[list[ContactRecord], list[AuthorRow], dict[str, str]]:
    draw = random.Random(7)
    records, authors, right = [], [], {}
    for number in range(300):
        given, family, region = (draw.choice(one) for one in (GIVEN, FAMILY, REGIONS))
        if number % 2:
            records.append(
                ContactRecord(f"c{number}", f"{given} {family}", fields={"region": region})
            )
        said = region if draw.random() < 0.9 else draw.choice(REGIONS)
        profile = Profile(
            number, "mastodon", f"a{number}", "handle", f"{given} {family}", None, f"Town, {said}"
        )
        authors.append(AuthorRow(f"a{number}", profile))
        right[f"a{number}"] = f"c{number}" if number % 2 else ""
    return records, authors, right


def test_counting_decisions_learns_that_places_agree_and_conflict() -> None:
    records, authors, right = made_up()

    weights = train(records, authors, right, context=CONTEXT, method=Method.COUNTS)

    assert weights.place[PlaceLevel.AGREES].bits > 1
    assert weights.place[PlaceLevel.CONFLICT].bits < -1
    assert weights.name[NameLevel.FULL].bits > weights.name[NameLevel.GIVEN].bits
    assert "300 authors decided" in weights.trained


def test_splink_learns_the_same_without_any_decision() -> None:
    pytest.importorskip("splink")
    records, authors, _ = made_up()

    weights = train(records, authors, {}, context=CONTEXT)

    assert weights.place[PlaceLevel.AGREES].bits > 1
    assert weights.place[PlaceLevel.CONFLICT].bits < -1
    assert "0 authors decided" in weights.trained


def test_too_little_to_learn_from_is_said() -> None:
    records, authors, right = made_up()

    with pytest.raises(InputError, match="too few to learn"):
        train(records, authors[:10], right, context=CONTEXT)
    with pytest.raises(InputError, match="needs decisions"):
        train(records, authors, {}, context=CONTEXT, method=Method.COUNTS)
