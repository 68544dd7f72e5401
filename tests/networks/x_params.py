"""What X accepts as parameters, and its 400 for the rest."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .store import X_EPOCH_MS, Rules, iso
from .x_shape import EXPANSIONS, POST_FIELDS, PROBLEMS, USER_FIELDS, old_names

if TYPE_CHECKING:
    from .store import Post

Json = dict[str, Any]

PAGE_NAMES = {"since_id", "until_id", "start_time", "end_time", "max_results", "pagination_token"}
FIELD_NAMES = {
    "tweet.fields",
    "post.fields",
    "user.fields",
    "expansions",
    "media.fields",
    "poll.fields",
    "place.fields",
}
ID = re.compile(r"[0-9]{1,19}")
#: Parameters that may change from one page to the next.
_PAGING = {"next_token", "pagination_token", "max_results"}


class RefusedError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def invalid(query: dict[str, str], parameter: str, message: str) -> RefusedError:
    """Make X's 400 for one parameter of a request."""
    value = query.get(parameter, "")
    body = {
        "errors": [{"parameters": {parameter: [value]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": PROBLEMS + "invalid-request",
    }
    return RefusedError(400, body)


@dataclass(slots=True)
class Bounds:
    """Which posts a request asks for: ids excluded at both ends, times included."""

    start: float
    end: float
    above: int | None = None
    below: int | None = None

    def hold(self, post: Post) -> bool:
        """Tell whether a post lies within."""
        return (
            self.start <= post.at <= self.end
            and (self.above is None or post.id > self.above)
            and (self.below is None or post.id < self.below)
        )


def bounds_of(query: dict[str, str], rules: Rules, now: float, *, search: bool) -> Bounds:
    """Read the bounds; only the search has a horizon and a lag."""
    oldest = now - rules.x_horizon_s if search else 0.0
    bounds = Bounds(start=oldest, end=now - (rules.x_search_lag_s if search else 0.0))
    for name in ("since_id", "until_id"):
        if name in query and not ID.fullmatch(query[name]):
            raise invalid(query, name, f"The `{name}` query parameter is not valid")
    if "until_id" in query:
        bounds.below = int(query["until_id"])
    elif "end_time" in query:
        bounds.end = min(bounds.end, _time(query, "end_time") - 1e-6)
    if "since_id" in query:
        bounds.above = int(query["since_id"])
        least = (int(oldest * 1000) - X_EPOCH_MS) << 22
        if search and bounds.above < least:
            message = (
                f"'since_id' must be a tweet id created after [{iso(oldest)}]. Please use a "
                f"'since_id' that is larger than {least}"
            )
            raise invalid(query, "since_id", message)
    elif "start_time" in query:
        start = _time(query, "start_time")
        if start < oldest:
            message = f"Invalid 'start_time'. 'start_time' must be on or after {iso(oldest)}"
            raise invalid(query, "start_time", message)
        bounds.start = start
    if (token := _opened(query)) is not None:
        bounds.below = token if bounds.below is None else min(token, bounds.below)
    return bounds


def sealed(last_id: int, query: dict[str, str]) -> str:
    """Make the token that continues after a post, good for this query only."""
    text = f"{last_id}:{query.get('query', '')}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(query: dict[str, str]) -> int | None:
    """Read the id that a request's token holds."""
    name = "next_token" if "next_token" in query else "pagination_token"
    token = query.get(name)
    if token is None:
        return None
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        number, _, asked = text.partition(":")
        last_id = int(number)
    except (binascii.Error, ValueError) as error:
        raise invalid(query, name, f"The `{name}` query parameter is not valid") from error
    if asked != query.get("query", ""):
        raise invalid(query, name, f"The `{name}` belongs to another query")
    return last_id


def page_size(query: dict[str, str], low: int) -> int:
    """Read `max_results`."""
    value = query.get("max_results", "10")
    if not value.isdecimal() or not low <= int(value) <= 100:
        message = f"The `max_results` query parameter value [{value}] is not between {low} and 100"
        raise invalid(query, "max_results", message)
    return int(value)


def _time(query: dict[str, str], name: str) -> float:
    value = query[name]
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"The `{name}` query parameter value [{value}] is not a valid RFC3339 date-time"
        raise invalid(query, name, message)
    return moment.timestamp()


def check_names(query: dict[str, str], allowed: set[str], rules: Rules) -> None:
    """Refuse parameters that X does not know."""
    if rules.x_strict_naming:
        allowed = allowed - {"post.fields" if rules.x_naming == "tweet" else "tweet.fields"}
    for name in query:
        if name not in allowed:
            known = ",".join(sorted(allowed))
            raise invalid(query, name, f"The query parameter [{name}] is not one of [{known}]")


@dataclass(frozen=True, slots=True)
class Asked:
    """The asked post fields, user fields and expansions, in the names of 2.166."""

    fields: set[str]
    user_fields: set[str]
    expansions: set[str]


def asked_of(query: dict[str, str], rules: Rules) -> Asked:
    """Read the field parameters, whichever naming they use."""
    wanted = query.get("tweet.fields", "") + "," + query.get("post.fields", "")
    fields = set(old_names(filter(None, wanted.split(","))))
    user_fields = set(filter(None, query.get("user.fields", "").split(",")))
    named = filter(None, query.get("expansions", "").split(","))
    expansions = set(old_names(named, expansions=True))
    for parameter, asked, known in (
        ("tweet.fields", fields, POST_FIELDS),
        ("user.fields", user_fields, USER_FIELDS),
        ("expansions", expansions, EXPANSIONS),
    ):
        for name in asked - known:
            options = ",".join(sorted(known))
            message = f"The `{parameter}` query parameter value [{name}] is not one of [{options}]"
            raise invalid(query, parameter, message)
    if "referenced_tweets.id" in expansions and rules.x_naming == "post":
        # The new naming has no separate expansion for the authors of referenced posts.
        expansions.add("referenced_tweets.id.author_id")
    if "referenced_tweets.id.author_id" in expansions:
        expansions.add("referenced_tweets.id")
    return Asked(fields | {name.partition(".")[0] for name in expansions}, user_fields, expansions)
