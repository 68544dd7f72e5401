"""One test per rule of the table, and what a company may put in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import InputError
from crm_link.policy import (
    PolicyRule,
    may_link,
    may_write_sentiment,
    normalise_source,
    read_table,
    rule_of,
    shipped_table,
)


def test_reddit_is_denied_whatever_the_relationship() -> None:
    for source in (None, "consent", "prior_relationship", "public_directory"):
        assert not may_link("reddit", source).is_allowed


def test_reddit_is_allowed_where_the_person_connected_the_account() -> None:
    assert may_link("reddit", None, consents={"reddit"}).is_allowed
    assert not may_link("reddit", None, consents={"x", "any"}).is_allowed


def test_discord_is_denied() -> None:
    assert not may_link("discord", "consent").is_allowed


def test_x_takes_relationships_and_public_directories_and_nothing_bought() -> None:
    for source in (
        None,
        "consent",
        "provided_by_person",
        "prior_relationship",
        "public_directory",
    ):
        assert may_link("x", source).is_allowed
    for source in ("bought", "enriched", "some_list"):
        assert not may_link("x", source).is_allowed


def test_consent_makes_a_bought_record_a_candidate_on_x() -> None:
    assert may_link("x", "bought", consents={"x"}).is_allowed
    assert may_link("x", "bought", consents={"any"}).is_allowed
    assert not may_link("x", "bought", consents={"mastodon"}).is_allowed


def test_every_other_platform_is_allowed() -> None:
    assert may_link("mastodon", "bought").is_allowed
    assert rule_of("rss") is PolicyRule.ALLOWED


def test_public_evidence_confirms_for_public_directories_and_consent_only() -> None:
    assert may_link("x", "public_directory").is_public
    assert may_link("mastodon", None, consents={"any"}).is_public
    assert not may_link("x", None).is_public
    assert not may_link("mastodon", "bought").is_public


def test_sentiment_of_x_needs_consent() -> None:
    assert not may_write_sentiment("x", None)
    assert may_write_sentiment("x", "consent")
    assert may_write_sentiment("x", None, consents={"x"})
    assert may_write_sentiment("mastodon", None)


def test_an_agreement_on_file_turns_deny_into_restricted(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    text = Path("config/defaults/link_policy.yaml").read_text("utf-8")
    path.write_text(
        text.replace("    rule: deny", "    rule: deny\n    agreement: licence of 2026", 1)
    )
    table = read_table(path)

    assert rule_of("reddit", table) is PolicyRule.RESTRICTED
    assert may_link("reddit", None, table=table).is_allowed
    assert not may_link("reddit", "bought", table=table).is_allowed
    assert not may_link("discord", None, table=table).is_allowed


def test_a_file_that_is_no_table_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("version: 1\nplatforms: {x: {rule: perhaps}}\ndefault: allowed\n")

    with pytest.raises(InputError, match=r"rules\.yaml: platforms\.x\.rule"):
        read_table(path)
    path.write_text("a: [")
    with pytest.raises(InputError, match="is no YAML"):
        read_table(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "none.yaml")


def test_the_shipped_table_names_the_platforms_whose_terms_say_something() -> None:
    assert set(shipped_table().platforms) == {"reddit", "discord", "x"}


@pytest.mark.parametrize(
    ("platform", "source", "is_allowed"),
    [
        ("reddit", "consent", False),
        ("discord", None, False),
        ("x", None, True),
        ("x", "consent", True),
        ("x", "public_directory", True),
        ("x", "bought", False),
        ("x", "enriched", False),
        ("x", "some_list", False),
        ("mastodon", "bought", True),
        ("rss", None, True),
    ],
)
def test_policy_of_linking(platform: str, source: str | None, *, is_allowed: bool) -> None:
    assert may_link(platform, source).is_allowed is is_allowed


def test_sentiment_found_on_x_needs_consent() -> None:
    assert may_write_sentiment("x", "consent")
    assert not may_write_sentiment("x", None)
    assert may_write_sentiment("mastodon", None)


def test_words_for_a_relationship_are_understood() -> None:
    words = ["Prior Relationship", "Opt-in", "purchased list", ""]

    assert [normalise_source(w) for w in words] == ["prior_relationship", "consent", "bought", None]
