"""What X's answers mean for a reply that was posted. Pure.

X has no codes for most of it: the words below are those of its answers, see the issues 24 of
sferik/x-ruby, 366 of plhery/node-twitter-api-v2 and the problems of OpenAPI 2.166.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from config.errors import AppError, BudgetExhaustedError, TransientError
from listener.replier import PerhapsPostedError, Refusal, ReplyRefusedError
from listener.x_api.errors import error_of, refusal_words

#: Words of a refusal, the first that fit.
_WORDS = (
    ("duplicate", Refusal.DUPLICATE),
    ("deleted or not visible", Refusal.GONE),
    ("suspended", Refusal.SUSPENDED),
    ("locked", Refusal.SUSPENDED),
    ("conversation", Refusal.RESTRICTED),
    ("who can reply", Refusal.RESTRICTED),
    ("blocked", Refusal.RESTRICTED),
    ("not allowed to reply", Refusal.RESTRICTED),
    ("oauth1-permissions", Refusal.PERMISSION),
    ("unsupported-authentication", Refusal.PERMISSION),
    ("client-forbidden", Refusal.PERMISSION),
    ("permission", Refusal.PERMISSION),
    ("too long", Refusal.TOO_LONG),
    ("shorter", Refusal.TOO_LONG),
)

#: What helps.
ADVICE = {
    Refusal.DUPLICATE: "the account said the same before: change the words",
    Refusal.RESTRICTED: "the author lets others reply only: answer another way",
    Refusal.GONE: "the post was deleted, or its author hides it from you",
    Refusal.TOO_LONG: "X finds it too long: shorten it",
    Refusal.SUSPENDED: "the account is locked or suspended: sign in on X and follow what it says",
    Refusal.TOKEN: "the account's tokens ended or are wrong: set new ones, see docs/replies.md",
    Refusal.PERMISSION: "the app may not write: give it read and write, then make new tokens",
    Refusal.CREDIT: "the cap or credit is used up: raise it in X's developer console",
    Refusal.OTHER: "look at the post on X",
}


def reply_error(
    status: int,
    headers: Mapping[str, str],
    body: Any,  # noqa: ANN401 - anything that JSON can hold, None where it is no JSON
    now: datetime,
) -> AppError:
    """Return the error that an answer other than 201 means for a reply."""
    known = error_of(status, headers, body, now)
    if isinstance(known, BudgetExhaustedError):
        return known
    if isinstance(known, TransientError):
        # At a 429 X did nothing; of its own failures it does not say whether it did.
        return known if status == HTTPStatus.TOO_MANY_REQUESTS else PerhapsPostedError(str(known))
    answer = body if isinstance(body, Mapping) else {}
    said = refusal_words(answer)
    marks = f"{answer.get('type')} {answer.get('title')} {answer.get('detail')} {said}".casefold()
    refusal = (
        Refusal.TOKEN
        if status == HTTPStatus.UNAUTHORIZED
        else next((found for word, found in _WORDS if word in marks), Refusal.OTHER)
    )
    return ReplyRefusedError(f"X refused with {status}: {ADVICE[refusal]}", refusal)
