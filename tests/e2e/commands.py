"""Commands of a home of its own: what they said, and what they exported."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.e2e.homes import Home, text_of

POSTS: list[dict[str, Any]] = [
    {
        "id": "1",
        "platform": "x",
        "text": "I love my Nordlicht lamp, it is great",
        "created_at": "2026-03-04T12:00:00Z",
        "username": "ada",
        "author_name": "Ada",
    },
    {
        "id": "2",
        "platform": "x",
        "text": "My Nordlicht kettle is broken, terrible, refund!",
        "created_at": "2026-03-04T13:00:00+01:00",
        "username": "bo",
    },
]


#: One page as twarc saves it: a post, and a repost that X cuts, with its original in includes.
PAGE: dict[str, Any] = {
    "data": [
        {
            "id": "1700000000000000001",
            "text": "RT @ada: Nordlicht says that all lamps are tested twice and that noth…",
            "created_at": "2026-03-04T12:00:00.000Z",
            "author_id": "12",
            "lang": "en",
            "conversation_id": "1700000000000000001",
            "edit_history_tweet_ids": ["1700000000000000001"],
            "public_metrics": {
                "retweet_count": 3,
                "reply_count": 0,
                "like_count": 0,
                "quote_count": 0,
            },
            "referenced_tweets": [{"type": "retweeted", "id": "1700000000000000000"}],
        }
    ],
    "includes": {
        "users": [
            {
                "id": "11",
                "username": "ada",
                "name": "Ada",
                "public_metrics": {"followers_count": 7},
            },
            {"id": "12", "username": "bo", "name": "Bo", "public_metrics": {"followers_count": 1}},
        ],
        "tweets": [
            {
                "id": "1700000000000000000",
                "text": "Nordlicht says that all lamps are tested twice and that nothing can go "
                "wrong with any of them, which is good to hear from them at last",
                "created_at": "2026-03-04T11:00:00.000Z",
                "author_id": "11",
                "lang": "en",
                "edit_history_tweet_ids": ["1700000000000000000"],
            }
        ],
    },
    "meta": {"result_count": 1, "newest_id": "1700000000000000001"},
}


def ok(done: subprocess.CompletedProcess[bytes]) -> str:
    said = text_of(done)
    assert done.returncode == 0, said
    assert "Traceback" not in said
    return said


def refused(done: subprocess.CompletedProcess[bytes], code: int, *words: str) -> str:
    said = text_of(done)
    assert done.returncode == code, said
    assert "Traceback" not in said, said
    flat = " ".join(said.split())
    for word in words:
        assert word in flat, said
    return said


def json_lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def exported(home: Home, what: str = "mentions") -> list[dict[str, Any]]:
    out = home.folder / f"{what}.out.jsonl"
    ok(home.run("export", what, "--out", out))
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]
