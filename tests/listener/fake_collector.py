"""A collector that yields given pages: a fake platform, not a mock of our code."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from listener.collector import Collector
from listener.types import Page, Walk


class FakeCollector(Collector):
    """Yields pages from the cursor on (their number), then raises `error` if given."""

    def __init__(
        self,
        *pages: Page,
        error: Exception | None = None,
        identity: str = "fake",
        matches_query: bool = True,
        between: Callable[[], None] | None = None,
    ) -> None:
        self._pages = pages
        self._error = error
        self._identity = identity
        self._between = between
        self.matches_query = matches_query
        self.walks: list[Walk] = []

    def identity(self) -> str:
        return self._identity

    def pages(self, walk: Walk) -> Iterator[Page]:
        self.walks.append(walk)
        for page in self._pages:
            if self._between is not None:
                self._between()
            yield page
        if self._error is not None:
            raise self._error
