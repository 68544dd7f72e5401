"""Who speaks about a brand, in groups of at least ten people, against whom it wants to reach.

Groups only: nobody is told from the crowd here. What a group of fewer people is, is not said,
and neither is how far it is from the wish.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, func, literal, or_, select
from sqlalchemy.orm import Session

from config.bulk import upsert
from config.errors import InputError
from config.phrases import phrase
from crm_link.figures.groups import LEAST_GROUP, LIKELY_BOT, people_groups
from crm_link.figures.interests import INTERESTS
from crm_link.figures.people import people_of
from crm_link.figures.persona_models import Persona
from crm_link.figures.windows import mark_windows
from listener.models import Author, Mention

#: Words of a persona, by kind, and letters of one word.
MOST_WORDS = 20
MOST_LETTERS = 60

#: Groups of one kind that are listed.
MOST_GROUPS = 20

DEFINITION = phrase(
    "People who spoke in the window, likely bots left out: languages of their mentions, places as "
    "their profiles state them, interests by words in their bios. Groups of fewer than "
    "%(least)s people are not named.",
    least=LEAST_GROUP,
)


@dataclass(frozen=True, slots=True)
class Fit:
    """How many of the audience are as the persona is in one respect.

    Args:
        kind: languages, places or interests.
        wanted: The persona's word.
        people: How many; None where they are fewer than ten, or not counted yet.
        share: Of those who say anything of this kind; None with `people`.
        is_counted: False while a wish that is newer than the figures waits to be counted.

    """

    kind: str
    wanted: str
    people: int | None
    share: float | None
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Audience:
    """Who speaks about a brand; shares are of those who say anything of that kind."""

    people: int
    with_bio: int
    with_place: int
    languages: Mapping[str, int]
    places: Mapping[str, int]
    interests: Mapping[str, int]
    fits: Sequence[Fit]


def get_persona(session: Session, brand_id: int) -> Persona | None:
    """Return a brand's target persona, None where none was written."""
    return session.get(Persona, brand_id)


def write_persona(
    session: Session,
    brand_id: int,
    *,
    languages: Sequence[str],
    places: Sequence[str],
    interests: Sequence[str],
    by: str,
    now: datetime,
) -> None:
    """Store whom a brand wants to reach, in place of what was there.

    Raises:
        InputError: There are too many words, or one is too long.

    """
    row: dict[str, Any] = {"brand_id": brand_id, "updated_by": by, "updated_at": now}
    for name, words in (("languages", languages), ("places", places), ("interests", interests)):
        plain = list(dict.fromkeys(word.strip().lower() for word in words if word.strip()))
        if len(plain) > MOST_WORDS or any(len(word) > MOST_LETTERS for word in plain):
            raise InputError(
                "%(name)s: at most %(most_words)s words of at most %(most_letters)s letters each",
                name=name,
                most_words=MOST_WORDS,
                most_letters=MOST_LETTERS,
            )
        row[name] = plain
    columns = ("languages", "places", "interests", "updated_by", "updated_at")
    upsert(session, Persona, [row], key=("brand_id",), update_columns=columns)
    mark_windows(session, now, brand_id=brand_id)


def read_audience(session: Session, brand_id: int, since: datetime, until: datetime) -> Audience:
    """Return who spoke in a window, and how far they are whom the brand wants to reach.

    It is counted now: of many mentions that takes seconds.
    """
    languages, places = (
        people_groups(session, brand_id, since, until, column, MOST_GROUPS)
        for column in (func.lower(Mention.lang), func.trim(Author.location))
    )
    return audience_of(
        session, brand_id, people_of(brand_id, since, until), languages=languages, places=places
    )


def audience_of(
    session: Session,
    brand_id: int,
    spoke: FromClause,
    *,
    languages: Mapping[str, int],
    places: Mapping[str, int],
) -> Audience:
    """Return the audience of a window whose authors and groups are known already.

    Args:
        session: The transaction.
        brand_id: The brand.
        spoke: The window's authors, from `crm_link.figures.people`.
        languages: How many people speak each, the largest group first; and
        places: the same of places. More than `MOST_GROUPS` are cut.

    """
    persona = get_persona(session, brand_id)
    bio = literal(" ").concat(func.lower(func.coalesce(Author.bio, ""))).concat(" ")
    place = func.lower(func.coalesce(Author.location, ""))
    wanted_places = [] if persona is None else persona.places
    wanted_interests = [] if persona is None else persona.interests
    sums = [
        func.count(),
        _sum(func.trim(bio) != ""),
        _sum(func.trim(place) != ""),
        *(_sum(or_(*(_begins(bio, word) for word in words))) for words in INTERESTS.values()),
        *(_sum(_states(bio, word)) for word in wanted_interests),
        *(_sum(place.contains(word, autoescape=True)) for word in wanted_places),
    ]
    row = list(
        session.execute(
            select(*sums)
            .select_from(spoke)
            .join(Author, Author.id == spoke.c.author_id)
            .where(spoke.c.bot < LIKELY_BOT)
        ).one()
    )
    people, with_bio, with_place = (int(value or 0) for value in row[:3])
    found = [int(value or 0) for value in row[3:]]
    themes = dict(zip(INTERESTS, found, strict=False))
    rest = found[len(INTERESTS) :]
    languages, places = (dict(list(one.items())[:MOST_GROUPS]) for one in (languages, places))
    fits = [
        *(
            _fit("languages", word, languages.get(word, 0), people)
            for word in ([] if persona is None else persona.languages)
        ),
        *(
            _fit("places", word, number, with_place)
            for word, number in zip(wanted_places, rest[len(wanted_interests) :], strict=True)
        ),
        *(
            _fit("interests", word, number, with_bio)
            for word, number in zip(wanted_interests, rest, strict=False)
        ),
    ]
    named = {name: number for name, number in themes.items() if number >= LEAST_GROUP}
    return Audience(
        people=people,
        with_bio=with_bio,
        with_place=with_place,
        languages=languages,
        places=places,
        interests=dict(sorted(named.items(), key=lambda one: (-one[1], one[0]))),
        fits=fits,
    )


def _fit(kind: str, wanted: str, people: int, of: int) -> Fit:
    if people < LEAST_GROUP:
        return Fit(kind, wanted, None, None)
    return Fit(kind, wanted, people, people / of if of else None)


def _states(bio: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """Return the condition that a bio has a persona's interest: a theme of ours, or the word."""
    known = INTERESTS.get(word)
    return _begins(bio, word) if known is None else or_(*(_begins(bio, one) for one in known))


def _begins(bio: ColumnElement[str], word: str) -> ColumnElement[bool]:
    return bio.contains(f" {word}", autoescape=True)


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
