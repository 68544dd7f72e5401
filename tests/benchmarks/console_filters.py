"""What lists can be narrowed down by, each with something common, something rare and nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from urllib.parse import urlencode

Choices = Mapping[str, Sequence[str]]

QUEUE: Choices = {
    "brand": ("acme", "cedar"),
    "platform": ("x", "bluesky", "nowhere"),
    "priority": ("risk", "cancel", "other"),
    "label": ("negative", "positive", "unknown"),
    "lang": ("en", "fi", "xx"),
    "text": ("acme", "harbour", "zebra", "nosuchword"),
    "assignee": ("me", "nobody", "person3@example.org"),
    "tier": ("gold", "nobody", "platinum"),
    "state": ("late", "snoozed"),
}

MENTIONS: Choices = {
    "brand": ("acme", "cedar"),
    "platform": ("x", "bluesky", "nowhere"),
    "priority": ("risk", "cancel"),
    "label": ("negative", "unknown"),
    "lang": ("en", "fi", "xx"),
    "topic": ("glass", "refunds", "nothing"),
    "text": ("lovely", "harbour", "acme", "zebra", "nosuchword"),
    "intent": ("complaint", "none", "purchase", "cancel"),
    "emotion": ("anger", "joy", "sadness"),
    "spam": ("likely", "unlikely"),
    "author_id": ("5", "7919"),
    "source_id": ("1",),
    "until": ("2020-01-01T00:00:00Z",),
    "with_folded": ("true",),
}

PEOPLE: Choices = {
    "text": ("person", "person 12", "user50", "nosuchword"),
    "crm": ("hubspot", "none"),
    "tier": ("gold", "platinum"),
    "linked": ("yes", "no", "suggested"),
    "segment": ("detractor", "ordinary", "promoter"),
}

AUDIT: Choices = {
    "who": ("person3", "nobody"),
    "what": ("resolved", "deleted"),
    "about": ("mention", "mention 5", "incident"),
    "since": ("2020-01-01", "2100-01-01"),
    "until": ("2020-01-01",),
}


def one(choices: Choices) -> tuple[str, ...]:
    """Return every filter by itself, as the queries of addresses."""
    return tuple(urlencode({key: value}) for key in choices for value in choices[key])


def two(choices: Choices, *, most: int = 4) -> tuple[str, ...]:
    """Return every two filters together, with so many values of each."""
    return tuple(_two(choices, most))


def _two(choices: Choices, most: int) -> Iterator[str]:
    for first, second in combinations(choices, 2):
        for values in product(choices[first][:most], choices[second][:most]):
            yield urlencode(dict(zip((first, second), values, strict=True)))
