"""The fake X writes posts as X does, and as its specifications say."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest
import requests
import tweepy

from tests.networks import Networks
from tests.networks.samples import ALL_FIELDS, POST_FIELDS, get, texts

SHARED = Path(os.environ.get("GROUNDSWELL_SHARED", Path(__file__).parents[3] / "shared"))
SPECS = {
    "tweet": SHARED / "specs/openapi-2.166-2026-07-06-tweet-naming.json",
    "post": SHARED / "specs/openapi-2.167-2026-08-22-post-naming.json",
}


def test_x_cuts_reposts_and_long_posts_and_gives_the_whole_text_beside(
    networks: Networks, x: tweepy.Client
) -> None:
    long = "nordlicht " + "word " * 50
    longer = "Nordlicht & <b>me</b> 👩🏽‍🚀 #tag " + "again " * 60
    [original] = networks.control.add("x", [{"text": long, "author": "ada"}])
    [note] = networks.control.add("x", [{"text": longer}])
    [repost] = networks.control.add("x", [{"text": "", "author": "bo", "repost_of": original}])

    answer = requests.get(
        f"{networks.x_url}/2/tweets/search/recent",
        {"query": "nordlicht", **ALL_FIELDS},
        headers={"authorization": "Bearer t"},
        timeout=5,
    ).json()

    by_id = {post["id"]: post for post in answer["data"]}
    assert len(by_id[repost]["text"]) == 140
    assert by_id[repost]["text"].startswith("RT @ada: nordlicht word")
    assert by_id[repost]["text"].endswith("…")
    assert by_id[repost]["referenced_tweets"] == [{"type": "retweeted", "id": original}]
    assert [post["text"] for post in answer["includes"]["tweets"]] == [long]
    assert {user["username"] for user in answer["includes"]["users"]} >= {"ada", "bo"}
    assert len(by_id[note]["text"]) <= 280
    assert by_id[note]["note_tweet"]["text"].startswith("Nordlicht &amp; &lt;b&gt;me")
    assert by_id[note]["note_tweet"]["text"].endswith("again ")
    [tag] = by_id[note]["entities"]["hashtags"]
    assert by_id[note]["text"][tag["start"] : tag["end"]] == "#tag"


def test_x_edit_is_a_new_id_that_names_both(networks: Networks, x: tweepy.Client) -> None:
    [old] = networks.control.add("x", [{"text": "nordlicht is bda", "author": "ada"}])
    new = networks.control.edit("x", old, "nordlicht is bad")

    found = x.search_recent_tweets("nordlicht")
    both = x.get_tweets([old, new])

    assert [post["id"] for post in found["data"]] == [new]
    assert found["data"][0]["edit_history_tweet_ids"] == [old, new]
    assert [post["edit_history_tweet_ids"] for post in both["data"]] == [[old, new]] * 2
    assert int(new) > int(old)


def test_x_lookup_says_why_a_post_is_not_there(networks: Networks, x: tweepy.Client) -> None:
    kept, gone, banned = networks.control.add("x", texts(3))
    networks.control.delete("x", [gone])
    networks.control.delete("x", [banned], why="suspended")

    answer = x.get_tweets([kept, gone, banned, "7"])

    assert [post["id"] for post in answer["data"]] == [kept]
    assert [problem["value"] for problem in answer["errors"]] == [gone, banned, "7"]
    assert [p["title"] for p in answer["errors"]] == [
        "Not Found Error",
        "Forbidden",
        "Not Found Error",
    ]
    assert x.search_recent_tweets("nordlicht")["meta"]["result_count"] == 1


def test_x_deleted_original_is_an_error_beside_its_repost(networks: Networks) -> None:
    [original] = networks.control.add("x", texts(1))
    networks.control.add("x", [{"text": "", "repost_of": original}])
    networks.control.delete("x", [original])

    answer = get(networks, "/2/tweets/search/recent", query="nordlicht", **ALL_FIELDS).json()

    assert answer["errors"][0]["resource_id"] == original
    assert "tweets" not in answer["includes"]


@pytest.mark.parametrize("naming", ["tweet", "post"])
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/2/tweets/search/recent", {"query": "nordlicht OR last"}),
        ("/2/users/{id}/mentions", {}),
        ("/2/tweets", {"ids": "{ids}"}),
        ("/2/tweets/counts/recent", {"query": "nordlicht"}),
        ("/2/users/by/username/{username}", {}),
        ("/2/users/me", {}),
    ],
)
def test_x_answers_fit_the_published_specification(
    networks: Networks, naming: str, path: str, query: dict[str, str]
) -> None:
    if not SPECS[naming].exists():
        pytest.skip(f"the specification {SPECS[naming]} is not here")
    networks.control.set_rules(x_naming=naming, x_strict_naming=True)
    ids = networks.control.fill("x", 30, long_share=0.5)
    ids += networks.control.add("x", [{"text": "@nordlicht nordlicht", "repost_of": ids[0]}])
    ids += networks.control.add("x", [{"text": "@nordlicht last", "reply_to": ids[1]}])
    networks.control.edit("x", ids[2], "@nordlicht edited")
    networks.control.delete("x", [ids[0]])
    user = networks.control.author("x", "nordlicht")
    fields = POST_FIELDS if naming == "post" else ALL_FIELDS
    if "users/" in path and "mentions" not in path:
        fields = {"user.fields": fields["user.fields"]}
    asked = {name: value.format(ids=",".join(ids[:9])) for name, value in query.items()}
    if "counts" not in path:
        asked |= fields

    answer = get(networks, path.format(id=user["id"], username="nordlicht"), **asked)

    assert answer.status_code == 200, answer.text
    spec = json.loads(SPECS[naming].read_text())
    responses = spec["paths"][path]["get"]["responses"]["200"]
    schema = responses["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json(), {"components": spec["components"], **schema})
    known = spec["components"]["schemas"]["Tweet" if naming == "tweet" else "Post"]["properties"]
    data = answer.json()["data"]
    if path in {"/2/tweets", "/2/tweets/search/recent", "/2/users/{id}/mentions"}:
        assert data
        assert {name for post in data for name in post} <= set(known)
