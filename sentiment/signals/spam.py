"""How likely a post is spam, and its account a bot: 0 to 1, each with its reasons in words. Pure.

A sum of features through the logistic function. The weights are set by hand, because no
labelled set may be used here: read the number as "how much speaks for it", not as a
probability. It is shown and can be filtered by; nothing is hidden or left out because of it.

What is looked at comes from three places, and each reason names its own: the text, the
profile that the platform gave (age, followers, what is filled in, the handle), and the mentions
stored here (the same words from others, posts a day). How many accounts somebody follows, and
how much they post elsewhere, platforms do not give with a post, so that neither counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import emoji
import regex

from sentiment.signals.words import MAX_CHARS, SAYING, cut_words, finder

#: Logit of a post and of an account for which nothing speaks.
_SPAM_BASE = -2.9
_BOT_BASE = -3.0

_LINK = regex.compile(r"(?:https?://|www\.)\S+", regex.IGNORECASE)
_HASHTAG = regex.compile(r"(?<!\w)#[\p{L}\p{N}_]+")
_HANDLE = regex.compile(r"(?<![\w@])@\w+")
_CONTACT = regex.compile(r"(?:whats ?app|telegram|t\.me/|wa\.me/)\W{0,3}\S*", regex.IGNORECASE)
_DIGITS_AT_END = regex.compile(r"\d+$")
_BOT_NAME = regex.compile(r"(?:^|[\W_])bots?(?:$|[\W_])|bot$", regex.IGNORECASE)
_BOT_BIO = regex.compile(r"\bbot\b|automated|tweets automatically|i am a robot", regex.IGNORECASE)

#: From how many on each counts a little, and a lot.
_LINKS = (2, 4)
_HASHTAGS = (5, 10)
_HANDLES = (5, 10)
_EMOJI = 8
_COPIES = (3, 10)
_OWN_COPIES = 2
_POSTS_A_DAY = (20, 50)
_YOUNG_DAYS = (7, 30)
_DIGITS = (4, 8)
_FEW_FOLLOWERS = 2
_WIDE_REACH = 5_000
#: Letters from which on a text in capitals is shouting, and the share of capitals.
_SHOUTED_LETTERS, _SHOUTED_SHARE = 20, 0.7
_FEW_WORDS = 3
#: Words of the list that count.
_MOST_LURES = 3


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How much speaks for something, 0 to 1, and what, the heaviest reason first."""

    value: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often the same words are among the stored mentions, reposts left out.

    Args:
        others: Other accounts that posted them.
        own: Other posts of the same account with them.

    """

    others: int = 0
    own: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an account when it posts; None where the platform does not say.

    Args:
        posts_a_day: Its posts among the stored mentions in the day before, this one included.

    """

    handle: str | None = None
    name: str | None = None
    has_bio: bool = False
    bio: str = ""
    has_place_or_link: bool = False
    followers: int | None = None
    is_verified: bool | None = None
    created_at: datetime | None = None
    posts_a_day: int = 0


def spam_likelihood(text: str, repeats: Repeats | None = None) -> Likelihood:
    """Return how much speaks for `text` being spam."""
    text = text[:MAX_CHARS]
    repeats = repeats or Repeats()
    found: list[tuple[float, str]] = []
    links, hashtags = len(_LINK.findall(text)), len(_HASHTAG.findall(text))
    plain = _HASHTAG.sub(" ", _HANDLE.sub(" ", _LINK.sub(" ", text)))
    words = cut_words(plain)
    _step(found, links, _LINKS, (0.9, 1.8), f"{links} links")
    _step(found, hashtags, _HASHTAGS, (1.0, 2.0), f"{hashtags} hashtags")
    handles = len(_HANDLE.findall(text))
    _step(found, handles, _HANDLES, (0.9, 1.6), f"{handles} accounts named")
    lures = {
        one.phrase.rstrip("*")
        for one in finder("lures", None).find(words)
        if one.group != SAYING and not one.is_negated
    }
    if lures:
        named = ", ".join(sorted(lures)[:_MOST_LURES])
        found.append((1.2 * min(len(lures), _MOST_LURES), f"words of lures: {named}"))
    if _CONTACT.search(text):
        found.append((1.0, "asks to write elsewhere"))
    capitals = sum(map(str.isupper, plain))
    if capitals >= _SHOUTED_SHARE * max(_SHOUTED_LETTERS, sum(map(str.isalpha, plain))):
        found.append((0.8, "written in capitals"))
    if links and len(words) < _FEW_WORDS:
        found.append((0.9, "hardly more than a link"))
    faces = 0 if text.isascii() else emoji.emoji_count(text)
    if faces >= _EMOJI:
        found.append((0.5, f"{faces} emoji"))
    _step(
        found,
        repeats.others,
        _COPIES,
        (1.6, 2.6),
        f"the same words from {repeats.others} other accounts (stored mentions)",
    )
    if repeats.own >= _OWN_COPIES:
        found.append(
            (1.3, f"the account posted the same {repeats.own} more times (stored mentions)")
        )
    return _likelihood(_SPAM_BASE, found)


def bot_likelihood(account: Account, posted_at: datetime, own_copies: int = 0) -> Likelihood:
    """Return how much speaks for an account being run by a machine.

    Args:
        account: What is known of it.
        posted_at: When it posted: its age counts at that time.
        own_copies: Other posts of it with the same words.

    """
    found: list[tuple[float, str]] = []
    handle = account.handle or ""
    if _BOT_NAME.search(handle) or _BOT_BIO.search(account.bio):
        found.append((3.0, "calls itself a bot (profile)"))
    if account.created_at is not None:
        days = max(0, (posted_at - account.created_at).days)
        young = f"the account was {days} day{'' if days == 1 else 's'} old (profile)"
        if days < _YOUNG_DAYS[0]:
            found.append((1.6, young))
        elif days < _YOUNG_DAYS[1]:
            found.append((1.0, young))
    posts = account.posts_a_day
    _step(found, posts, _POSTS_A_DAY, (1.6, 2.6), f"{posts} posts in a day (stored mentions)")
    is_bare = not account.has_bio and not account.has_place_or_link
    if handle and is_bare and (account.name or handle) == handle:
        found.append((0.9, "nothing filled in (profile)"))
    digits = len(found_at.group()) if (found_at := _DIGITS_AT_END.search(handle)) else 0
    _step(found, digits, _DIGITS, (0.7, 1.3), f"the handle ends in {digits} digits (profile)")
    if account.followers is not None and account.followers <= _FEW_FOLLOWERS:
        found.append((0.7, f"{account.followers} followers (profile)"))
    if own_copies >= _OWN_COPIES:
        found.append((1.2, f"posted the same {own_copies} more times (stored mentions)"))
    base = _BOT_BASE
    if account.is_verified:
        base -= 2.0
    if (account.followers or 0) >= _WIDE_REACH:
        base -= 1.0
    return _likelihood(base, found)


def _step(
    found: list[tuple[float, str]],
    count: int,
    steps: tuple[int, int],
    weights: tuple[float, float],
    reason: str,
) -> None:
    """Add a reason where a count reaches the first or the second step."""
    if count >= steps[1]:
        found.append((weights[1], reason))
    elif count >= steps[0]:
        found.append((weights[0], reason))


def _likelihood(base: float, found: list[tuple[float, str]]) -> Likelihood:
    logit = base + sum(weight for weight, _ in found)
    found.sort(key=lambda one: -one[0])
    return Likelihood(
        value=round(1 / (1 + math.exp(-logit)), 3), reasons=tuple(reason for _, reason in found)
    )
