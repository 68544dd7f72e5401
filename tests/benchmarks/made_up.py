"""Made-up files for the benchmarks: mentions as JSON lines, contacts as CSV."""

from __future__ import annotations

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.clock import utc_now
from tests.networks.posts import made_up_posts

#: Of all mentions: reposts of an earlier one.
REPOSTS = 0.15

#: Of all authors: those whose profile says an e-mail address.
WITH_EMAIL = 0.1

#: Of all contacts: those that a platform's author is found by.
FOUND = 0.1

_SYLLABLES = ("ba", "ru", "no", "ti", "sel", "mar", "ken", "dol", "vi", "est", "for", "ling")


def write_mentions(
    path: Path, count: int, *, authors: int, seed: int = 1, ends: datetime | None = None
) -> None:
    """Write `count` mentions of the last 30 days, each with its own words, oldest first."""
    dice = random.Random(seed)
    vocabulary = ["".join(dice.choices(_SYLLABLES, k=dice.randint(1, 4))) for _ in range(4_000)]
    end = (ends or utc_now()).timestamp()
    span_s = timedelta(days=30).total_seconds()
    posts = made_up_posts(count, seed=seed, authors=authors, start=end - span_s, span_s=span_s)
    written: list[tuple[str, str]] = []
    with path.open("w", encoding="utf-8") as file:
        for index, post in enumerate(posts):
            number = int(post["author"].rsplit("_", 1)[1])
            record = {
                "id": str(1_700_000_000_000_000_000 + index),
                "platform": "x",
                "text": f"{post['text']} {' '.join(dice.choices(vocabulary, k=12))}",
                "created_at": datetime.fromtimestamp(post["published_at"], UTC).isoformat(),
                "lang": post["lang"],
                "author_id": str(number),
                "username": post["author"],
                "author_name": post["author_name"],
                "bio": _bio(post["author_name"], number, authors),
                "followers": dice.randrange(20_000),
                "url": f"https://x.example/{post['author']}/status/{index}",
                "likes": dice.randrange(50),
            }
            if written and dice.random() < REPOSTS:
                record["repost_of_id"], record["text"] = dice.choice(written)
                record["kind"] = "repost"
            else:
                written.append((record["id"], record["text"]))
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _bio(name: str, number: int, authors: int) -> str:
    bio = f"{name}. Coffee, trains, opinions of my own."
    return f"{bio} {number}@people.example" if number < authors * WITH_EMAIL else bio


def write_contacts(path: Path, count: int) -> None:
    """Write contacts, of which some share the handle or the e-mail address of an author."""
    found = int(count * FOUND)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "name", "email", "phone", "x_handle", "country"))
        for number in range(count):
            is_found = number < found
            rows.writerow(
                (
                    f"C{number}",
                    f"Made Up {number}",
                    f"{number if is_found and number % 2 else f'c{number}'}@people.example",
                    f"+4930{1_000_000 + number}",
                    f"made_up_{number}" if is_found and not number % 2 else f"crm_{number}",
                    "DE",
                )
            )
