"""What a drill replays: a script of made-up posts, from a scenario's file or a past attack.

A scenario is a YAML file: phases that say how loud it is, and the texts that are said. How
loud is told by the brand's own ordinary day, so that the same scenario is an attack on a
small brand and on a large one. The same scenario, brand and seed give the same script.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.durations import Duration
from config.errors import InputError, NotFoundError
from config.phrases import Phrase

#: A script is cut here: a drill is no load test.
MOST_POSTS = 2_000

#: The shipped scenarios.
_FOLDER = files("config").joinpath("defaults", "drills")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phase(_Strict):
    """A stretch of the attack: how long, and how many posts an hour.

    `times` is a multiple of the brand's ordinary mentions an hour; `least` an hour is posted
    all the same where that is fewer.
    """

    lasts: Duration
    times: float = Field(default=1.0, ge=0, le=1_000)
    least: float = Field(default=10.0, ge=0, le=10_000)  # posts an hour


class Say(_Strict):
    """A text that may be said. `{brand}` and the scenario's own words are filled in."""

    text: str = Field(min_length=1, max_length=2_000)
    lang: str | None = Field(default=None, pattern=r"^[a-z]{2,3}$")
    mood: Literal["negative", "neutral", "positive"] = "negative"


class Scenario(_Strict):
    """A made-up attack."""

    name: str = Field(min_length=1, max_length=200)
    about: str = Field(default="", max_length=2_000)
    claim: str = Field(default="", max_length=500)
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    platforms: dict[str, Annotated[float, Field(gt=0)]] = Field(min_length=1)
    first: Say
    says: Annotated[tuple[Say, ...], Field(min_length=3)]
    negative_share: float = Field(default=0.85, ge=0, le=1)
    reposts_share: float = Field(default=0.2, ge=0, le=0.9)
    words: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_said(self) -> Scenario:
        known = dict.fromkeys(("brand", *self.words), "")
        for say in (self.first, *self.says):
            try:
                say.text.format(**known)
            except (KeyError, IndexError, ValueError) as error:
                msg = f"'{say.text[:40]}...' has a gap {error} that is not under 'words'"
                raise ValueError(msg) from error
        if not any(say.mood == "negative" for say in self.says):
            msg = "an attack needs texts with mood: negative"
            raise ValueError(msg)
        return self

    @property
    def called(self) -> str:
        """Its name, which readers get in their language where Groundswell ships it."""
        return Phrase(self.name, {})

    @property
    def lasts(self) -> timedelta:
        """How long posts come."""
        return sum((phase.lasts for phase in self.phases), timedelta())


@dataclass(frozen=True, slots=True)
class Script:
    """The posts of a drill, each with the seconds after its start.

    A post: `after_s`, `platform`, `text`, `lang`, `author` (a number), `followers`, `likes`,
    `reposts`, and `repost_of` (the position of another) where it repeats one.
    """

    scenario: str
    title: str
    lasts: timedelta
    posts: tuple[Mapping[str, Any], ...] = field(repr=False)


def shipped_scenarios() -> dict[str, Scenario]:
    """Return the scenarios that come with Groundswell, by their files' names."""
    found = {}
    for entry in sorted(_FOLDER.iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".yaml"):
            found[entry.name.removesuffix(".yaml")] = read_scenario(
                entry.read_text("utf-8"), entry.name
            )
    return found


def load_scenario(name: str) -> tuple[str, Scenario]:
    """Return a scenario and its name: a shipped one, or one in a file.

    Raises:
        NotFoundError: There is neither a shipped scenario nor a file of that name.
        InputError: The file is no scenario.

    """
    shipped = shipped_scenarios()
    if name in shipped:
        return name, shipped[name]
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        try:
            return path.stem, read_scenario(path.read_text("utf-8"), str(path))
        except OSError as error:
            msg = f"{path} cannot be read: {error.strerror}"
            raise InputError(msg) from error
        except UnicodeDecodeError as error:
            msg = f"{path} is not UTF-8; save the file as UTF-8"
            raise InputError(msg) from error
    msg = f"there is no scenario '{name}'; known: {', '.join(shipped)}, or the path of a .yaml file"
    raise NotFoundError(msg)


def read_scenario(text: str, where: str) -> Scenario:
    """Return the scenario that the YAML says.

    Raises:
        InputError: It is none; the message says what is wrong and where.

    """
    try:
        tree = YAML(typ="safe", pure=True).load(text)
        return Scenario.model_validate(tree)
    except YAMLError as error:
        msg = f"{where} is no YAML: {str(error).strip().splitlines()[0]}"
        raise InputError(msg) from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in one['loc']) or 'file'}: {one['msg']}"
            for one in error.errors()
        )
        msg = f"{where} is no scenario: {problems}"
        raise InputError(msg) from error


def write_script(
    key: str, scenario: Scenario, *, brand_name: str, per_hour: float, seed: int = 1
) -> Script:
    """Return the posts of a scenario for one brand.

    Args:
        key: The scenario's name.
        scenario: What to play.
        brand_name: Stands for `{brand}`.
        per_hour: The brand's ordinary mentions an hour.
        seed: Another one gives other posts of the same shape.

    """
    chance = random.Random(seed)  # noqa: S311 - a drill is no secret
    platforms, weights = list(scenario.platforms), list(scenario.platforms.values())
    by_mood = {
        mood: [say for say in scenario.says if say.mood == mood]
        for mood in ("negative", "neutral", "positive")
    }
    others = by_mood["neutral"] + by_mood["positive"] or by_mood["negative"]

    def fill(text: str) -> str:
        words = {name: chance.choice(choices) for name, choices in scenario.words.items()}
        return text.format(brand=brand_name, **words)

    def post(after_s: float, say: Say, platform: str) -> dict[str, Any]:
        return {
            "after_s": round(after_s, 1),
            "platform": platform,
            "text": fill(say.text),
            "lang": say.lang,
            "author": chance.randrange(1, 400),
            "followers": int(chance.paretovariate(1.1) * 60),
            "likes": int(chance.paretovariate(1.3)) - 1,
            "reposts": int(chance.paretovariate(1.6)) - 1,
        }

    posts = [post(0.0, scenario.first, platforms[0])]
    begin_s = 0.0
    for phase in scenario.phases:
        rate = max(phase.times * per_hour, phase.least) / 3600
        end_s = begin_s + phase.lasts.total_seconds()
        at_s = begin_s
        while rate > 0 and len(posts) < MOST_POSTS:
            at_s += chance.expovariate(rate)
            if at_s >= end_s:
                break
            if chance.random() < scenario.reposts_share:
                first = posts[0]
                posts.append(
                    post(at_s, scenario.first, first["platform"])
                    | {"text": first["text"], "repost_of": 0}
                )
                continue
            is_negative = chance.random() < scenario.negative_share
            say = chance.choice(by_mood["negative"] if is_negative else others)
            posts.append(post(at_s, say, chance.choices(platforms, weights)[0]))
        begin_s = end_s
    return Script(key, scenario.called, scenario.lasts, tuple(posts))
