"""The parts of an X post that are read, whatever the version of the API calls them.

X renamed `tweet` to `post` in its OpenAPI 2.167 (7 August 2026) on some endpoints only, and
numbers come as text or as numbers, so every spelling is accepted and every key but `id` and
`text` may be missing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)


def _moment(value: Any) -> Any:  # noqa: ANN401 - pydantic checks what comes out
    """Read the date form of API 1.1 ("Wed Jan 06 18:40:40 +0000 2021") beside ISO 8601."""
    if isinstance(value, str) and value[:3].isalpha():
        parts = value.split()
        if len(parts) == 6:  # noqa: PLR2004 - weekday, month, day, time, zone, year
            day, month, date, clock, zone, year = parts
            return parsedate_to_datetime(f"{day}, {date} {month} {year} {clock} {zone}")
    return value


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _or_empty(value: Any) -> Any:  # noqa: ANN401 - pydantic checks what comes out
    return [] if value is None else value


Id = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_in_utc)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class Link(_Part):
    """A shortened link in a text."""

    url: str = ""
    expanded_url: str | None = None
    unwound_url: str | None = None


class Entities(_Part):
    """What X found in a text."""

    urls: Annotated[list[Link], BeforeValidator(_or_empty)] = []


class Note(_Part):
    """The whole of a text that is longer than 280 characters."""

    text: str
    entities: Entities | None = None


class Reference(_Part):
    """Another post, and what this one does with it."""

    type: str
    id: Id


class Metrics(_Part):
    """Counts of a post or an account."""

    like_count: int | None = None
    retweet_count: int | None = Field(
        default=None, validation_alias=AliasChoices("retweet_count", "repost_count")
    )
    reply_count: int | None = None
    impression_count: int | None = None
    followers_count: int | None = None


class XPost(_Part):
    """A post of API v2."""

    id: Id
    text: str
    author_id: str | None = None
    created_at: Moment | None = None
    conversation_id: str | None = None
    lang: str | None = None
    entities: Entities | None = None
    public_metrics: Metrics | None = None
    history: Annotated[list[Id], BeforeValidator(_or_empty)] = Field(
        default=[],
        validation_alias=AliasChoices("edit_history_tweet_ids", "edit_history_post_ids"),
    )
    references: Annotated[list[Reference], BeforeValidator(_or_empty)] = Field(
        default=[], validation_alias=AliasChoices("referenced_tweets", "referenced_posts")
    )
    note: Note | None = Field(
        default=None, validation_alias=AliasChoices("note_tweet", "note_post")
    )

    def reference(self, *kinds: str) -> str | None:
        """Return the id of the post that this one replies to, quotes or reposts."""
        return next((other.id for other in self.references if other.type in kinds), None)


class UserEntities(_Part):
    """The links of a profile."""

    url: Entities | None = None
    description: Entities | None = None


class XUser(_Part):
    """An account of API v2."""

    id: Id
    username: str | None = None
    name: str | None = None
    description: str | None = None
    location: str | None = None
    url: str | None = None
    entities: UserEntities | None = None
    public_metrics: Metrics | None = None
    verified: bool | None = None
    created_at: Moment | None = None


#: Milliseconds since 1970 at which X's ids start; an id's upper bits are milliseconds since
#: then. Source: https://github.com/twitter-archive/snowflake.
EPOCH_MS = 1_288_834_974_657
#: Bits of an id below its time.
_TIME_SHIFT = 22
#: Ids below this were given before ids had times.
_FIRST_TIMED_ID = 29_700_859_247


def time_of(post_id: int) -> datetime | None:
    """Return when the post with this id was published; None for ids without a time."""
    if post_id < _FIRST_TIMED_ID:
        return None
    return datetime.fromtimestamp(((post_id >> _TIME_SHIFT) + EPOCH_MS) / 1000, UTC)


def id_at(moment: datetime) -> int:
    """Return the lowest id that a post of that moment can have."""
    return max(0, int(moment.timestamp() * 1000) - EPOCH_MS) << _TIME_SHIFT


def id_before(post_id: int, seconds: float) -> int:
    """Return the id that stands `seconds` before `post_id`; 0 at the earliest."""
    return max(0, post_id - (int(seconds * 1000) << _TIME_SHIFT))
