"""The contract of a collector: it reads posts from one platform, page by page.

The runner (`listener.service.collect`) owns the database, the transaction of each page and
its cursor, retries and health. A collector owns the platform: its paging rules, limits,
time-outs and SDK. What every collector must keep is written as tests, in
`tests/listener/conformance.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from config.errors import InputError
from config.field_errors import of_field
from config.phrases import joined, phrase
from config.plugins import load_plugin, plugin_names
from listener.types import Page, Walk

FOLDER = "listener.collectors"


class SourceOptions(BaseModel):
    """What a source of this platform says in `brands.yaml` beside its platform and name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Collector(ABC):
    """Reads posts from one platform.

    Raises, from `pages` and `check`:
        TransientError: The platform failed or limits us; `retry_after_s` where it said so.
        PermanentError: Credentials, permissions or the query were refused.
        BudgetExhaustedError: A monthly cap or credit is used up.
        InputError: Settings are missing; the message names them.
    """

    #: The class of this platform's options.
    Options: ClassVar[type[SourceOptions]] = SourceOptions

    #: Whether posts that the brand's query does not select are left out by the runner.
    #: False for what is addressed to the brand anyway (its own mentions, an inbox).
    matches_query: bool = True

    #: The platform under which posts are stored, where it is not the source's own (files).
    stores_as: str | None = None

    @abstractmethod
    def pages(self, walk: Walk) -> Iterator[Page]:
        """Yield the posts published since the walk's cursor, page by page.

        Each page's cursor must be such that a walk that starts from it reads everything
        that has not been yielded yet, even if this walk ends here.
        """

    @abstractmethod
    def identity(self) -> str:
        """Return credential and host, hashed or harmless: a cursor is only valid for these."""

    def check(self) -> None:
        """Make the cheapest call that shows whether credentials and address are right."""

    def close(self) -> None:
        """Give up connections."""


def collector_names() -> tuple[str, ...]:
    """Return the names of all platforms that can be collected."""
    return plugin_names(FOLDER)


def make_collector(platform: str, options: Mapping[str, Any]) -> Collector:
    """Return a collector for `platform`, signed in with the settings of the environment.

    Raises:
        InputError: Unknown platform, wrong options or missing settings.

    """
    kind: type[Collector] = load_plugin(FOLDER, platform, Collector)  # type: ignore[type-abstract]
    return kind(parse_options(platform, kind, options))  # type: ignore[call-arg]


def parse_options(
    platform: str, kind: type[Collector], options: Mapping[str, Any]
) -> SourceOptions:
    """Return `options` checked by the collector's own class.

    Raises:
        InputError: An option is unknown, missing or wrong.

    """
    try:
        return kind.Options.model_validate(dict(options))
    except ValidationError as error:
        problems = [
            of_field(".".join(str(part) for part in problem["loc"]) or "options", problem)
            for problem in error.errors()
        ]
        raise InputError(
            phrase(
                "source of platform '%(platform)s': %(problems)s",
                platform=platform,
                problems=joined("; ", problems),
            )
        ) from error
