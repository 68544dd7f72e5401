"""Queries, what they find and what they cost, as the JSON API gives them."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas.base import Out


class QueryIn(BaseModel):
    """A query to look at."""

    query: str = Field(max_length=20_000)


class QuerySaveIn(QueryIn):
    """A query to use."""

    before: str = Field(max_length=20_000, description="The query that it replaces.")


class AskedOut(Out):
    """What one platform is asked."""

    platform: str
    name: str
    searches: list[str]
    dropped: list[str] = Field(description="What it cannot be asked; removed on arrival.")
    problem: str


class QueryCheckOut(Out):
    """What is to be said about a query."""

    problem: str = Field(description="Why it must not be used, with a caret; empty: it may.")
    position: int | None
    warnings: list[str]
    asked: list[AskedOut]


class ExampleOut(Out):
    """A stored mention that two queries judge differently."""

    mention_id: int
    brand_name: str
    platform: str
    text: str


class PreviewOut(Out):
    """What a query would have found in the newest stored mentions of the last 7 days."""

    looked_at: int
    found: int
    found_now: int
    lost_count: int
    gained_count: int
    lost: list[ExampleOut]
    gained: list[ExampleOut]


class SourceCostOut(Out):
    """What a source is expected to bring and to cost a day."""

    name: str
    platform: str
    days: float = Field(description="Days over which it was measured; 0: never read.")
    posts: float
    expected: float | None
    requests: float
    dollars: tuple[float, float] | None


class QueryPreviewOut(Out):
    """What a query would find and cost."""

    preview: PreviewOut
    costs: list[SourceCostOut]
