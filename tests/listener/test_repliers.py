"""What repliers do with each platform's answers, over the network, against the fakes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.clock import utc_now
from config.errors import InputError
from listener.replier import (
    Refusal,
    Replier,
    ReplyRefusedError,
    is_set_up,
    make_replier,
    replier_names,
)
from tests.listener.accounts import set_up_accounts
from tests.networks import Networks

TEXT = "We are sorry & on it: see https://acme.example/help"


@pytest.fixture(params=["x", "reddit"])
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def replier(networks: Networks, platform: str, monkeypatch: pytest.MonkeyPatch) -> Replier:
    set_up_accounts(networks, monkeypatch)
    return make_replier(platform)


def _asked(networks: Networks, platform: str, **post: str) -> str:
    [external_id] = networks.control.add(platform, [{"text": "my lamp smokes", **post}])
    return external_id


def _replies(networks: Networks, platform: str) -> list[str]:
    author = {"x": "nordlicht", "reddit": "nordlicht_team"}[platform]
    return [post["text"] for post in networks.control.posts(platform) if post["author"] == author]


def test_a_reply_is_posted_under_what_it_answers_and_found_again(
    networks: Networks, platform: str, replier: Replier
) -> None:
    asked, before = _asked(networks, platform), utc_now()

    made = replier.post(asked, TEXT)
    found = replier.find_own(asked, TEXT, before)

    assert _replies(networks, platform) == [TEXT]
    assert found.post is not None
    assert (found.post.external_id, found.is_sure) == (made.external_id, True)
    assert made.url.startswith("http")


def test_a_submission_is_answered_too(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_accounts(networks, monkeypatch)
    asked = _asked(networks, "reddit", kind="submission", title="My lamp smokes")

    made = make_replier("reddit").post(asked, TEXT)

    assert asked.startswith("t3_")
    assert made.external_id.startswith("t1_")


def test_what_is_not_there_is_surely_not_there(
    networks: Networks, platform: str, replier: Replier
) -> None:
    asked, other = _asked(networks, platform), _asked(networks, platform)
    replier.post(other, TEXT)

    assert replier.find_own(asked, TEXT, utc_now()) == replier.find_own(asked, "no", utc_now())
    assert replier.find_own(asked, TEXT, utc_now()).is_sure


def test_a_reply_in_other_words_leaves_it_to_a_person(
    networks: Networks, platform: str, replier: Replier
) -> None:
    asked = _asked(networks, platform)
    replier.post(asked, "written by hand")

    found = replier.find_own(asked, TEXT, utc_now())

    assert (found.post, found.is_sure) == (None, False)


def test_more_own_posts_than_are_looked_through_are_no_proof(
    networks: Networks, platform: str, replier: Replier
) -> None:
    asked = _asked(networks, platform)
    author = {"x": "nordlicht", "reddit": "nordlicht_team"}[platform]
    networks.control.add(platform, [{"text": f"hello {n}", "author": author} for n in range(600)])

    assert not replier.find_own(asked, TEXT, utc_now() - timedelta(minutes=1)).is_sure


def test_x_finds_what_it_changed_of_the_text(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_accounts(networks, monkeypatch)
    asked = _asked(networks, "x")
    written = {"text": f"@somebody @other {TEXT}", "author": "nordlicht", "reply_to": asked}
    networks.control.add("x", [written])

    assert make_replier("x").find_own(asked, TEXT, utc_now()).post is not None


@pytest.mark.parametrize("naming", ["tweet", "post"])
def test_x_is_read_in_both_namings(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, naming: str
) -> None:
    set_up_accounts(networks, monkeypatch)
    networks.control.set_rules(x_naming=naming, x_strict_naming=True)
    replier, asked = make_replier("x"), _asked(networks, "x")

    made = replier.post(asked, TEXT)

    found = replier.find_own(asked, TEXT, utc_now()).post
    assert found is not None
    assert found.external_id == made.external_id


def test_a_deleted_post_is_not_answered(
    networks: Networks, platform: str, replier: Replier
) -> None:
    asked = _asked(networks, platform)
    networks.control.delete(platform, [asked])

    with pytest.raises(ReplyRefusedError) as refused:
        replier.post(asked, TEXT)

    assert refused.value.refusal is Refusal.GONE
    assert _replies(networks, platform) == []


def test_x_does_not_take_the_same_twice(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_accounts(networks, monkeypatch)
    replier, asked = make_replier("x"), _asked(networks, "x")
    replier.post(asked, TEXT)

    with pytest.raises(ReplyRefusedError) as refused:
        replier.post(asked, TEXT)

    assert refused.value.refusal is Refusal.DUPLICATE


def test_check_says_whose_account_it_is(platform: str, replier: Replier) -> None:
    assert replier.check() == {"x": "@nordlicht", "reddit": "u/nordlicht_team"}[platform]


def test_each_account_has_settings_of_its_own(
    networks: Networks, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert replier_names() == ("reddit", "x")
    assert not is_set_up(platform)
    with pytest.raises(InputError, match=f"GROUNDSWELL_{platform.upper()}"):
        make_replier(platform)

    set_up_accounts(networks, monkeypatch, "EMEA_")

    assert is_set_up(platform, "emea")
    assert not is_set_up(platform)
    assert not is_set_up("rss")
    assert make_replier(platform, "emea").check()


def test_an_app_that_only_reads_is_no_account_to_reply_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GROUNDSWELL_REDDIT_CLIENT_ID", "any")
    monkeypatch.setenv("GROUNDSWELL_X_BEARER_TOKEN", "any")

    assert not is_set_up("reddit")
    assert not is_set_up("x")
    with pytest.raises(InputError, match="replying on Reddit needs an account"):
        make_replier("reddit")
