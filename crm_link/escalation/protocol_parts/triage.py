"""The part of a protocol that says what a mention asks for: words, topics, flags, routes."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Strict
from sentiment.types import Label

#: The topic of a mention that none of the protocol's topics holds.
GENERAL = "general"

#: The key of words that hold in every language.
ANY_LANGUAGE = "any"

#: Longer phrases are pasted texts, not words to watch for.
MAX_PHRASE_CHARS = 200

_LANGUAGE = re.compile(r"[a-z]{2,3}")


def _by_language(value: object) -> object:
    """Take a plain list as words of every language."""
    return {ANY_LANGUAGE: value} if isinstance(value, list | tuple) else value


def _check_words(words: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for language, phrases in words.items():
        if language != ANY_LANGUAGE and not _LANGUAGE.fullmatch(language):
            msg = phrase(
                "'%(language)s' is no language; write ISO 639-1 codes (en, es, ...) or any",
                language=language,
            )
            raise ValueError(msg)
        for one in phrases:
            _check_phrase(one)
    return words


def _check_phrase(words: str) -> None:
    if not re.search(r"\w", words) or len(words) > MAX_PHRASE_CHARS:
        msg = phrase(
            "'%(words)s' is no phrase: it needs 1 to %(most)s characters and a word",
            words=words[:40],
            most=MAX_PHRASE_CHARS,
        )
        raise ValueError(msg)
    if re.search(r"(^|\W)\*|\*\w", words):
        msg = phrase(
            "'%(words)s': a star stands only at a word's end, for example cancel*", words=words
        )
        raise ValueError(msg)


#: Phrases by language: a plain list holds in every language, `cancel*` meets `cancelled`.
Words = Annotated[
    dict[str, tuple[str, ...]], BeforeValidator(_by_language), AfterValidator(_check_words)
]

Priorities = Literal["risk", "cancel", "service", "purchase"]

#: Classes of negative mentions that words can tell; complaint and crisis follow the priority.
WordClass = Literal["misguided", "troll", "rager"]


class PriorityRule(Strict):
    """The words that give a mention a priority, and the labels with which they count."""

    words: Words
    label: tuple[Label, ...] = ()


class FlagRule(Strict):
    """When a mention is put before a person: all keys that are given must hold."""

    priority: tuple[Literal["risk", "cancel", "service", "purchase", "other"], ...] = ()
    label: tuple[Label, ...] = ()
    confidence_below: float | None = Field(default=None, gt=0, le=1)
    reach_gte: int | None = Field(default=None, ge=1)
    topics: tuple[str, ...] = ()
    reason: str = Field(default="", max_length=200)
    case: bool = False  # it opens a case in the CRM, if the author is a contact

    @model_validator(mode="after")
    def _asks_something(self) -> FlagRule:
        if not self.model_fields_set - {"reason", "case"}:
            msg = phrase("a flag rule needs a condition, for example label: [negative]")
            raise ValueError(msg)
        return self


class Triage(Strict):
    """Priorities by words, classes of negative mentions, and which mentions a person must see."""

    priorities: dict[Priorities, PriorityRule] = Field(default_factory=dict)
    classes: dict[WordClass, Words] = Field(default_factory=dict)
    flag: tuple[FlagRule, ...] = ()


class CrmRules(Strict):
    """What an incident does in the CRM records of those who complained in it."""

    incident_notes: bool = False  # a note on each one's record
    incident_cases: bool = False  # a case for each one's first complaint


class Topic(Strict):
    """Something that is talked about, found by its words; the first in the file wins."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")
    name: str = Field(default="", max_length=200)
    words: Words

    @model_validator(mode="after")
    def _is_not_the_rest(self) -> Topic:
        if self.id == GENERAL:
            msg = phrase(
                "'%(name)s' is what is in no topic; name the topic otherwise", name=GENERAL
            )
            raise ValueError(msg)
        return self


class Route(Strict):
    """Where mentions of one sentiment go."""

    do: str = Field(min_length=1, max_length=100)


class NegativeRoute(Strict):
    """Where negative mentions go, by their class; `do` is for those of no class.

    The classes are those of the web posting response assessment of the US Air Force (2008): an
    unhappy customer, somebody who is misguided, a troll, a rager; and a crisis before them all.
    """

    do: str = Field(default="review", min_length=1, max_length=100)
    complaint: str | None = Field(default=None, min_length=1, max_length=100)
    misguided: str | None = Field(default=None, min_length=1, max_length=100)
    troll: str | None = Field(default=None, min_length=1, max_length=100)
    rager: str | None = Field(default=None, min_length=1, max_length=100)
    crisis: str | None = Field(default=None, min_length=1, max_length=100)

    def for_class(self, kind: str) -> str:
        """Return what is done with negative mentions of a class; `do` where nothing is said."""
        by_class = {
            "complaint": self.complaint,
            "misguided": self.misguided,
            "troll": self.troll,
            "rager": self.rager,
            "crisis": self.crisis,
        }
        return by_class.get(kind) or self.do


class Routing(Strict):
    """What is done with what is nice, neutral, negative, or not readable."""

    positive: Route = Route(do="thank_or_amplify")
    neutral: Route = Route(do="monitor")
    negative: NegativeRoute = NegativeRoute()
    unknown: Route = Route(do="review")
