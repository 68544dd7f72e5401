"""What the labels of a foreign model mean: negative, neutral or positive.

Models name their labels in their config (`id2label`), each in its own way. What cannot be
mapped for certain is refused: a guess here would turn every judgement upside down.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from config.errors import InputError
from sentiment.types import Label

_WORDS = {
    "negative": Label.NEGATIVE,
    "very negative": Label.NEGATIVE,
    "neg": Label.NEGATIVE,
    "n": Label.NEGATIVE,
    "neutral": Label.NEUTRAL,
    "neu": Label.NEUTRAL,
    "positive": Label.POSITIVE,
    "very positive": Label.POSITIVE,
    "pos": Label.POSITIVE,
    "p": Label.POSITIVE,
    "-1": Label.NEGATIVE,
    "+1": Label.POSITIVE,
}

#: Labels without a name are in the order that all known three- and two-label models share.
_UNNAMED = {
    2: (Label.NEGATIVE, Label.POSITIVE),
    3: (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE),
}

_STARS = (Label.NEGATIVE, Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE, Label.POSITIVE)
_STAR = re.compile(r"([1-5]) ?stars?", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:label[_ ]?)?(\d+)", re.IGNORECASE)


def polarities(id2label: Mapping[int, str], model: str) -> tuple[Label, ...]:
    """Return the polarity of each output of a model, in order.

    Several outputs may share one (1 and 2 stars are both negative): their probabilities are
    added. A model may lack neutral, which then has probability 0.

    Raises:
        InputError: The labels are not those of a sentiment model, or cannot be told.

    """
    names = [str(id2label[place]).strip() for place in sorted(id2label)]
    found = _by_stars(names) or _by_number(names) or _by_word(names)
    if found is None or not {Label.NEGATIVE, Label.POSITIVE} <= set(found):
        msg = (
            f"the model {model} has the labels {', '.join(names)}; they cannot be read as "
            "negative, neutral and positive (or 1 to 5 stars): choose a sentiment model, or "
            "name its labels so in id2label of its config.json"
        )
        raise InputError(msg)
    return found


def _by_stars(names: list[str]) -> tuple[Label, ...] | None:
    stars = [_STAR.fullmatch(name) for name in names]
    if len(names) != len(_STARS) or not all(stars):
        return None
    counts = [int(star[1]) for star in stars if star]
    if sorted(counts) != [1, 2, 3, 4, 5]:
        return None
    return tuple(_STARS[count - 1] for count in counts)


def _by_number(names: list[str]) -> tuple[Label, ...] | None:
    numbers = [_NUMBERED.fullmatch(name) for name in names]
    order = [int(number[1]) for number in numbers if number]
    unnamed = _UNNAMED.get(len(names))
    if unnamed is None or order != list(range(len(names))):
        return None
    return unnamed


def _by_word(names: list[str]) -> tuple[Label, ...] | None:
    words = [re.sub(r"[_\s-]+(?=\w{2})", " ", name.lower()) for name in names]
    if len(set(words)) != len(words) or not all(word in _WORDS for word in words):
        return None
    return tuple(_WORDS[word] for word in words)
