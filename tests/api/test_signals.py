"""Signals, topics, languages and the reasons of a judgement, as the API gives them."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from api.models import Role
from config.settings import Settings
from crm_link import mention_walk, mentions
from tests.api.conftest import NOW, SignIn, all_items
from tests.api.scene import Scene

_DAY = {
    "brand": "acme",
    "since": (NOW - timedelta(days=1)).isoformat(),
    "until": NOW.isoformat(),
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"scorer": "vader", "fast_scorer": ""})


def test_a_mention_shows_its_signals_and_who_judged_it(sign_in: SignIn, scene: Scene) -> None:
    found = sign_in(Role.VIEWER).get(f"/api/v1/mentions/{scene.first}").json()

    signals = found["signals"]
    assert (signals["emotion"], signals["irony"], signals["scorer"]) == ("anger", 0.2, "onnx/en-1")
    assert signals["intents"] == ["complaint", "cancel"]
    assert signals["complaint_reason"] == "safety"
    assert 0 <= signals["spam"] < 0.2
    assert 0 <= signals["bot"] < 0.2
    [judged] = found["judgements"]
    assert (judged["who"], judged["scorer"], judged["is_current"]) == (
        "model",
        "vader-3.3.2/1",
        True,
    )


def test_a_list_that_looked_long_enough_says_how_far_back(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentions, "MOST_LOOKED", 12)
    monkeypatch.setattr(mention_walk, "FIRST_LOOKED", 0)
    client = sign_in(Role.VIEWER)

    page = client.get("/mentions?intent=purchase").text
    shown = page.count("<article")
    assert "Looked back to" in page
    assert "Look further back" in page
    assert "No mention matches" not in page
    for _ in range(60):
        following = re.search(r"/mentions\?[^\"]*cursor=[\w-]+", page)
        if following is None:
            break
        page = client.get(html.unescape(following.group())).text
        shown += page.count("<article")

    assert shown == 10
    assert "Look further back" not in page


def test_mentions_are_filtered_by_intent_emotion_and_spam(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    buying = all_items(client, "/api/v1/mentions", intent="purchase", limit=100)
    glad = all_items(client, "/api/v1/mentions", emotion="joy", limit=100)
    nothing = all_items(client, "/api/v1/mentions", intent="none", limit=100)
    likely = all_items(client, "/api/v1/mentions", spam="likely", limit=100)
    unlikely = all_items(client, "/api/v1/mentions", spam="unlikely", limit=100)

    assert len(buying) == 10
    assert all("Where can I buy" in str(one["text"]) for one in buying)
    assert {one["label"] for one in glad} == {"positive"}
    assert all(one["signals"]["intents"] == [] for one in nothing)  # type: ignore[index]
    assert len(likely) + len(unlikely) == len(all_items(client, "/api/v1/mentions", limit=100))
    for name in ("intent", "emotion", "spam"):
        answer = client.get("/api/v1/mentions", params={name: "nonsense"})
        assert answer.status_code == 422
        assert f"there is no {name} 'nonsense'" in answer.text


def test_topics_lead_to_their_mentions(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    found = client.get("/api/v1/topics", params=_DAY).json()
    glass = next(one for one in found["topics"] if "glass" in " ".join(one["words"]))
    mentions = all_items(
        client, "/api/v1/mentions", **_DAY, about=glass["id"], with_folded=1, limit=100
    )

    assert found["every"] == 1
    assert glass["negative_share"] > 0.9
    assert glass["posts"] == len(mentions) >= 10
    assert set(glass["top_ids"]) <= {one["id"] for one in mentions}
    refused = client.get("/api/v1/mentions", params={"about": glass["id"]})
    assert refused.status_code == 422
    assert "since and until" in refused.text


def test_signals_and_languages_of_a_window(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    signals = client.get("/api/v1/signals", params=_DAY).json()
    languages = client.get("/api/v1/languages", params=_DAY).json()["languages"]

    assert len(signals["emotions"]) == 24
    assert sum(point["emotions"]["anger"] for point in signals["emotions"]) == 22
    assert signals["intents"]["purchase"] == 10
    assert set(signals["reasons"]) >= {"safety", "waiting"}
    assert [one["lang"] for one in languages] == ["en", "ar"]
    assert (languages[1]["read"], languages[1]["agreement"]) == (0, None)
    for path in ("topics", "signals", "languages"):
        wrong = client.get(f"/api/v1/{path}", params=_DAY | {"until": _DAY["since"]})
        assert wrong.status_code == 422
        assert client.get(f"/api/v1/{path}", params={"brand": "nobody"}).status_code == 404


def test_why_names_the_words_that_carried_a_judgement(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.VIEWER)
    crowd = all_items(client, "/api/v1/mentions", label="positive", limit=100)
    best = next(one for one in crowd if "best part" in str(one["text"]))

    found = client.get(f"/api/v1/mentions/{best['id']}/why").json()

    heaviest = max(found["words"], key=lambda word: abs(word["weight"]))
    assert (heaviest["word"], heaviest["weight"] > 0) == ("best", True)
    assert str(best["text"])[heaviest["start"] : heaviest["end"]] == "best"
    assert (found["label"], found["judged_by"]) == ("positive", "vader-3.3.2/1")
    assert found["explained_by"].startswith("vader")
    unread = client.get(f"/api/v1/mentions/{scene.rtl}/why").json()
    assert {word["weight"] for word in unread["words"]} == {0.0}
    assert client.get("/api/v1/mentions/999999/why").status_code == 404
