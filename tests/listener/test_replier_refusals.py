"""What platforms answer to a reply that they do not take."""

from __future__ import annotations

import socket

import pytest

from config.clock import utc_now
from config.errors import BudgetExhaustedError, TransientError
from listener.replier import (
    PerhapsPostedError,
    Refusal,
    Replier,
    ReplyRefusedError,
    make_replier,
)
from tests.listener.accounts import set_up_accounts
from tests.networks import Networks

#: How each platform's post is reached, and where a reply goes.
POSTING = {"x": "/2/tweets", "reddit": "/api/comment/"}


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


_X_REFUSALS = [
    ('{"title": "Unauthorized", "status": 401}', 401, Refusal.TOKEN),
    (
        '{"detail": "Reply to this conversation is not allowed.", "title": "Forbidden"}',
        403,
        Refusal.RESTRICTED,
    ),
    ('{"detail": "Your account is suspended.", "title": "Forbidden"}', 403, Refusal.SUSPENDED),
    (
        '{"type": "https://api.twitter.com/2/problems/oauth1-permissions", "detail": "no"}',
        403,
        Refusal.PERMISSION,
    ),
    ('{"detail": "no"}', 403, Refusal.OTHER),
]


@pytest.mark.parametrize(("body", "status", "refusal"), _X_REFUSALS)
def test_refusals_of_x_have_names(
    networks: Networks,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
    status: int,
    refusal: Refusal,
) -> None:
    set_up_accounts(networks, monkeypatch)
    asked = _asked(networks, "x")
    networks.control.fault("x", "status", status=status, body=body)

    with pytest.raises(ReplyRefusedError) as refused:
        make_replier("x").post(asked, TEXT)

    assert refused.value.refusal is refusal
    assert TEXT not in str(refused.value)


_REDDIT_REFUSALS = [
    ("THREAD_LOCKED", Refusal.RESTRICTED),
    ("TOO_LONG", Refusal.TOO_LONG),
    ("NEVER_HEARD_OF", Refusal.OTHER),
]


@pytest.mark.parametrize(("name", "refusal"), _REDDIT_REFUSALS)
def test_refusals_of_reddit_have_names(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, name: str, refusal: Refusal
) -> None:
    set_up_accounts(networks, monkeypatch)
    asked = _asked(networks, "reddit")
    body = f'{{"json": {{"errors": [["{name}", "no", "parent"]]}}}}'
    networks.control.fault("reddit", "status", path="/api/comment/", status=200, body=body)

    with pytest.raises(ReplyRefusedError) as refused:
        make_replier("reddit").post(asked, TEXT)

    assert refused.value.refusal is refusal


def test_reddit_says_in_words_how_long_to_wait(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_accounts(networks, monkeypatch)
    asked = _asked(networks, "reddit")
    said = "Looks like you've been doing that a lot. Take a break for 3 minutes before trying."
    body = f'{{"json": {{"errors": [["RATELIMIT", "{said}", "ratelimit"]]}}}}'
    networks.control.fault("reddit", "status", path="/api/comment/", status=200, body=body)

    with pytest.raises(TransientError) as limited:
        make_replier("reddit").post(asked, TEXT)

    assert limited.value.retry_after_s == 180
    assert networks.control.count("reddit", "/api/comment/") == 1


def test_wrong_credentials_of_reddit_are_said(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_accounts(networks, monkeypatch)
    asked = _asked(networks, "reddit")
    networks.control.fault(
        "reddit",
        "status",
        path="/api/v1/access_token",
        status=200,
        body='{"error": "invalid_grant"}',
    )

    with pytest.raises(ReplyRefusedError) as refused:
        make_replier("reddit").post(asked, TEXT)

    assert refused.value.refusal is Refusal.TOKEN


@pytest.mark.parametrize("headers", ["reset", "retry_after", "none"])
def test_a_rate_limit_waits_as_long_as_it_says(
    networks: Networks, platform: str, replier: Replier, headers: str
) -> None:
    asked = _asked(networks, platform)
    networks.control.fault(
        platform, "rate_limit", path=POSTING[platform], headers=headers, seconds=90
    )

    with pytest.raises(TransientError) as limited:
        replier.post(asked, TEXT)

    assert not isinstance(limited.value, PerhapsPostedError)
    if headers == "none":
        assert limited.value.retry_after_s is None
    else:
        assert limited.value.retry_after_s == pytest.approx(90, abs=2)
    assert _replies(networks, platform) == []


def test_a_used_up_cap_is_a_budget(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_accounts(networks, monkeypatch)
    asked = _asked(networks, "x")
    networks.control.fault("x", "credits", status=402)

    with pytest.raises(BudgetExhaustedError):
        make_replier("x").post(asked, TEXT)


@pytest.mark.parametrize(
    ("kind", "options", "is_posted"),
    [
        ("status", {"status": 503}, False),
        ("html", {"status": 502}, False),
        ("hang", {"share": 0.5}, True),
        ("reset", {"share": 0.5}, True),
        ("reset", {}, False),
        ("truncated", {}, True),
    ],
)
def test_an_answer_that_does_not_come_leaves_it_in_doubt_after_one_request(
    networks: Networks,
    platform: str,
    replier: Replier,
    kind: str,
    options: dict[str, float],
    *,
    is_posted: bool,
) -> None:
    asked, before = _asked(networks, platform), utc_now()
    networks.control.fault(platform, kind, path=POSTING[platform], **options)

    with pytest.raises(PerhapsPostedError) as doubt:
        replier.post(asked, TEXT)

    assert _replies(networks, platform) == ([TEXT] if is_posted else [])
    assert networks.control.count(platform, POSTING[platform]) == 1
    assert (replier.find_own(asked, TEXT, before).post is not None) is is_posted
    assert TEXT not in str(doubt.value)


def test_what_cannot_be_reached_did_not_take_it(
    networks: Networks, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_accounts(networks, monkeypatch)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv(f"GROUNDSWELL_{platform.upper()}_BASE_URL", address)

    with pytest.raises(TransientError) as away:
        make_replier(platform).post("1", TEXT)

    assert not isinstance(away.value, PerhapsPostedError)
