from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import InputError, NotFoundError
from crm_link.escalation.drills.scenarios import (
    MOST_POSTS,
    load_scenario,
    read_scenario,
    shipped_scenarios,
    write_script,
)

SHIPPED = shipped_scenarios()

SMALL = """
name: Small
platforms: {x: 1}
phases: [{lasts: 10m, times: 2, least: 30}]
first: {text: "{brand} is awful"}
says: [{text: "{brand} is bad {n}"}, {text: "bad, bad {brand}"}, {text: "I hate {brand}"}]
words: {n: [a, b]}
"""


def test_three_scenarios_are_shipped() -> None:
    assert sorted(SHIPPED) == ["false_rumour", "product_safety", "service_outage"]


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_scenario_says_the_brands_name_and_leaves_no_gap(name: str) -> None:
    script = write_script(name, SHIPPED[name], brand_name="Acme", per_hour=4)

    assert all("{" not in post["text"] for post in script.posts)
    assert sum("Acme" in post["text"] for post in script.posts) >= 0.95 * len(script.posts)
    assert 100 < len(script.posts) <= MOST_POSTS
    assert [post["after_s"] for post in script.posts] == sorted(p["after_s"] for p in script.posts)


def test_a_script_is_as_loud_as_the_brand_is_large_and_the_same_each_time() -> None:
    scenario = read_scenario(SMALL, "small.yaml")

    quiet = write_script("small", scenario, brand_name="Acme", per_hour=1)
    loud = write_script("small", scenario, brand_name="Acme", per_hour=600)

    assert 2 <= len(quiet.posts) <= 15  # 30 an hour for ten minutes
    assert 150 < len(loud.posts) < 250  # twice 600 an hour
    assert loud.posts == write_script("small", scenario, brand_name="Acme", per_hour=600).posts


def test_a_scenario_that_cannot_be_played_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'place'"):
        read_scenario(SMALL.replace("{brand} is awful", "{brand} in {place}"), "small.yaml")
    with pytest.raises(InputError, match="volume"):
        read_scenario(SMALL + "volume: 3\n", "small.yaml")
    with pytest.raises(NotFoundError, match="false_rumour"):
        load_scenario("nothing")
    path = tmp_path / "own.yaml"
    path.write_text(SMALL, "utf-8")
    assert load_scenario(str(path))[0] == "own"
