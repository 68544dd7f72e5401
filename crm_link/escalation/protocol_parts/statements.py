"""What may be said: statements that were approved beforehand, and answers to usual questions."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Strict
from crm_link.escalation.protocol_parts.playbook import Strategy
from crm_link.escalation.protocol_parts.triage import ANY_LANGUAGE, Words

#: The six parts of a first message in a crisis, in the order in which they are said. Source: CDC,
#: Crisis and Emergency Risk Communication, "Messages and Audiences" (2018).
CERC_PARTS: dict[str, str] = {
    "empathy": "we feel with those whom it concerns",
    "facts": "what is confirmed",
    "unknown": "what is not known yet",
    "action": "what is done, and when the next update comes",
    "commitment": "that we stay with it",
    "more": "where to find more",
}

#: Variables that every statement has.
GIVEN_VARIABLES: dict[str, str] = {
    "brand": "the brand's name",
    "topic": "the incident's topic, in words",
    "date": "the day on which it is filled in, as 2026-03-10",
    "next_update": "by when the next update is due by the protocol, as 14:30 CET",
}

#: How long a text may be, in characters, where a channel has a limit.
CHANNEL_CHARS = {"x": 280, "bluesky": 300, "mastodon": 500}

#: A statement's text in one language: whole, or in named parts.
Text = str | dict[str, str]


def variables_in(text: str) -> Iterator[str]:
    """Yield the names in braces, in order; `{{` and `}}` are braces.

    Raises:
        ValueError: A brace is left open, or holds something else than a name.

    """
    for name, spec, conversion in _pieces(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            msg = phrase("'{%(name)s}' is no variable: write {name}, and {{ for a brace", name=name)
            raise ValueError(msg)
        yield name


def _pieces(text: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    try:
        yield from (piece[1:] for piece in string.Formatter().parse(text))
    except ValueError as error:
        msg = phrase("a brace is not closed or not opened: write {{ or }} for a brace itself")
        raise ValueError(msg) from error


def _check_text(text: Text) -> Text:
    for part, words in text.items() if isinstance(text, dict) else [("", text)]:
        if part and part not in CERC_PARTS:
            msg = phrase(
                "'%(part)s' is no part of a message; the parts are %(parts)s",
                part=part,
                parts=", ".join(CERC_PARTS),
            )
            raise ValueError(msg)
        list(variables_in(words))
    return text


def whole(text: Text) -> str:
    """Return a text as it is said: its parts in their order, one after the other."""
    if isinstance(text, str):
        return text.strip()
    return "\n\n".join(text[part].strip() for part in CERC_PARTS if text.get(part, "").strip())


class Statement(Strict):
    """A text that is ready before it is needed.

    `strategy` is its playbook's unless it is given; `channel` says where it is meant for, and
    `requires` which parts it must have (a holding statement: all six).
    """

    text: dict[
        Annotated[str, Field(pattern=r"^[a-z]{2,3}$")],
        Annotated[Text, AfterValidator(_check_text)],
    ] = Field(min_length=1)
    title: str = Field(default="", max_length=200)
    channel: str = Field(default="", max_length=40)
    strategy: Strategy | None = None
    variables: dict[str, str] = Field(default_factory=dict)
    requires: tuple[str, ...] | None = None
    approved_by: str | None = None
    approved_on: date | None = None
    expires: date | None = None

    @model_validator(mode="after")
    def _approval_is_whole(self) -> Statement:
        if self.approved_by is not None and (self.approved_on is None or self.expires is None):
            msg = phrase(
                "approved_by goes with approved_on and expires: an approval has a day and an end"
            )
            raise ValueError(msg)
        if self.approved_on and self.expires and self.expires <= self.approved_on:
            msg = phrase("expires must lie after approved_on")
            raise ValueError(msg)
        unknown = [part for part in self.requires or () if part not in CERC_PARTS]
        if unknown:
            msg = phrase(
                "requires knows %(parts)s, and not %(unknown)s",
                parts=", ".join(CERC_PARTS),
                unknown=", ".join(unknown),
            )
            raise ValueError(msg)
        return self

    def is_approved(self, today: date) -> bool:
        """Say whether its text may be used without asking again, by its own dates."""
        return (
            self.approved_by is not None
            and self.approved_on is not None
            and self.expires is not None
            and self.approved_on <= today < self.expires
        )

    def variables_used(self) -> list[str]:
        """Return the names of all variables in all languages, each once."""
        found: dict[str, None] = {}
        for text in self.text.values():
            for words in text.values() if isinstance(text, dict) else [text]:
                found.update(dict.fromkeys(variables_in(words)))
        return list(found)


def _by_language(value: Any) -> Any:  # noqa: ANN401 - as the file has it
    return {ANY_LANGUAGE: value} if isinstance(value, str) else value


class Faq(Strict):
    """A question that people ask, in the ways in which they ask it, and the answer to it."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")
    questions: Words
    answer: Annotated[dict[str, str], BeforeValidator(_by_language)] = Field(min_length=1)

    def answer_in(self, language: str | None) -> tuple[str, str]:
        """Return (language, answer): in the language if it is there, else the best there is."""
        return pick_language(self.answer, language)


def pick_language(texts: Mapping[str, Any], language: str | None) -> tuple[str, Any]:
    """Return (language, text) of what is there: as asked, for any, English, or the first."""
    for name in (language, ANY_LANGUAGE, "en"):
        if name is not None and name in texts:
            return name, texts[name]
    return next(iter(texts.items()))
