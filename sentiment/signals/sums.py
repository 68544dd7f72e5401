"""What a window's mentions say besides polarity, in sums; and how each language was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from listener.models import Mention
from sentiment.corrections import EDITED
from sentiment.heads import EMOTIONS
from sentiment.models import Correction
from sentiment.rollups import bucket_of
from sentiment.signals.filter import LIKELY
from sentiment.signals.intents import Intent
from sentiment.signals.models import MentionSignal
from sentiment.signals.reasons import Reason
from sentiment.types import Label
from sentiment.windows import Window, every_nth, sampled, window_of

#: Mentions of a window that are summed; of more, every n-th: a share is then off by at most one
#: percentage point, 19 times of 20.
MOST_SUMMED = 10_000

#: Below this confidence a judgement counts as unsure: the default protocol's threshold for
#: putting a negative one before a person.
UNSURE = 0.5

#: What the heads say yes to, from which probability on.
YES = 0.5


@dataclass(frozen=True, slots=True)
class SignalSums:
    """What a window's mentions say besides polarity.

    Args:
        mentions: Mentions whose signals are known, those that were summed.
        every: One of so many was summed.
        emotions: Mentions with each clear emotion, per point of time.
        emotions_before: The same in all of the window before.
        intents: Mentions with each intent; one may have several.
        reasons: Complaints about each reason.
        ironic: Mentions that are more likely ironic than not; None where no model says.
        offensive: The same for offence.
        spam: Mentions that are likely spam.
        bots: Mentions by accounts that are likely bots.

    """

    mentions: int
    every: int
    emotions: Mapping[datetime, Counter[str]]
    emotions_before: Counter[str]
    intents: Counter[str]
    reasons: Counter[str]
    ironic: int | None
    offensive: int | None
    spam: int
    bots: int

    def emotion_total(self, emotion: str) -> int:
        """Return how many mentions have a clear emotion."""
        return sum(counts[emotion] for counts in self.emotions.values())

    @property
    def has_emotions(self) -> bool:
        """Whether any mention has one."""
        return any(self.emotion_total(emotion) for emotion in EMOTIONS)


def signal_sums(
    session: Session, brand_id: int | None, since: datetime, until: datetime, *, grain_s: int
) -> SignalSums:
    """Return a window's signals; None for `brand_id` sums all brands.

    Args:
        session: The transaction.
        brand_id: The brand, or None.
        since: Beginning, by publication time.
        until: End, not included.
        grain_s: Width of a point of the emotions in seconds: a multiple of 300.

    """
    window, _ = window_of(session, brand_id, since, until)
    every = every_nth(session, window, MOST_SUMMED)
    yes = {
        "spam": MentionSignal.spam >= LIKELY,
        "bots": MentionSignal.bot >= LIKELY,
        "ironic": MentionSignal.irony >= YES,
        "offensive": MentionSignal.offensive >= YES,
    }
    rows = session.execute(
        select(
            MentionSignal.intents,
            MentionSignal.complaint_reason,
            func.count(),
            func.count(MentionSignal.irony).label("with_heads"),
            *(func.sum(case((one, 1), else_=0)).label(name) for name, one in yes.items()),
        )
        .where(*_in(window, every))
        .group_by(MentionSignal.intents, MentionSignal.complaint_reason)
    ).all()
    intents: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for row in rows:
        intents.update(dict.fromkeys(row.intents.split(), row[2]))
        if row.complaint_reason:
            reasons[row.complaint_reason] += row[2]
        totals.update(mentions=row[2], with_heads=row.with_heads)
        totals.update({name: getattr(row, name) or 0 for name in yes})
    emotions = _emotions(session, window, every, grain_s)
    before = _emotions(session, window.before, every, grain_s)
    return SignalSums(
        mentions=totals["mentions"],
        every=every,
        emotions=emotions,
        emotions_before=sum(before.values(), Counter()),
        intents=Counter({one.value: intents[one.value] for one in Intent}),
        reasons=Counter({one.value: reasons[one.value] for one in Reason if reasons[one.value]}),
        ironic=totals["ironic"] if totals["with_heads"] else None,
        offensive=totals["offensive"] if totals["with_heads"] else None,
        spam=totals["spam"],
        bots=totals["bots"],
    )


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """How one language's mentions were read.

    Args:
        lang: ISO 639-1 code; `und` where it could not be told.
        mentions: Mentions that a scorer has judged or could not read.
        read: Those that got a polarity.
        unsure: Those of `read` with a confidence below `UNSURE`.
        checked: Those on whose label a person has said a word after a model had.
        agreed: Those of `checked` whose label the person left as it was.

    """

    lang: str
    mentions: int
    read: int
    unsure: int
    checked: int
    agreed: int

    @property
    def agreement(self) -> float | None:
        """Share of the checked ones on which person and model agree; None without any."""
        return self.agreed / self.checked if self.checked else None


@dataclass(frozen=True, slots=True)
class LanguageWindow:
    """The languages of a window, the most frequent first; of one of `every` mentions."""

    languages: tuple[LanguageFigures, ...]
    every: int


def languages_of(
    session: Session, brand_id: int | None, since: datetime, until: datetime
) -> LanguageWindow:
    """Return which languages came in, and how well each was read.

    People look at what is unsure or urgent first, so that the agreement is lower than it would
    be for all mentions. What they checked is counted in full, never sampled.
    """
    window, _ = window_of(session, brand_id, since, until)
    every = every_nth(session, window, MOST_SUMMED)
    is_read = Mention.label != Label.UNKNOWN.value
    lang = func.coalesce(Mention.lang, "und")
    rows = session.execute(
        select(
            lang,
            func.count(),
            func.sum(case((is_read, 1), else_=0)),
            func.sum(case((is_read & (Mention.confidence < UNSURE), 1), else_=0)),
        )
        .where(*sampled(window, every), Mention.label.is_not(None))
        .group_by(lang)
    ).all()
    checked = _checked(session, window)
    found = [
        LanguageFigures(code, count, read or 0, unsure or 0, *checked.get(code, (0, 0)))
        for code, count, read, unsure in rows
    ]
    return LanguageWindow(tuple(sorted(found, key=lambda one: (-one.mentions, one.lang))), every)


def _checked(session: Session, window: Window) -> dict[str, tuple[int, int]]:
    """Return by language how many labels a person has spoken on, and on how many agreed."""
    lang = func.coalesce(Mention.lang, "und")
    rows = session.execute(
        select(
            lang,
            func.count(),
            func.sum(case((Correction.label == Correction.model_label, 1), else_=0)),
        )
        .join(Mention, Mention.id == Correction.mention_id)
        .where(
            *window.holds(),
            Correction.model_label.is_not(None),
            Correction.model_label != Label.UNKNOWN.value,
            Correction.ended_at.is_(None) | (Correction.ended_by == EDITED),
        )
        .group_by(lang)
    )
    return {code: (count, agreed or 0) for code, count, agreed in rows}


def _emotions(
    session: Session, window: Window, every: int, grain_s: int
) -> dict[datetime, Counter[str]]:
    """Return clear emotions by point, empty points included, from the index alone."""
    counts: dict[datetime, Counter[str]] = {}
    at = bucket_of(window.since, grain_s)
    while at < window.until:
        counts[at] = Counter()
        at += timedelta(seconds=grain_s)
    for published_at, emotion in session.execute(
        select(MentionSignal.published_at, MentionSignal.emotion).where(
            *_in(window, every), MentionSignal.emotion.is_not(None)
        )
    ):
        if emotion is not None:
            counts[bucket_of(published_at, grain_s)][emotion] += 1
    return counts


def _in(window: Window, every: int) -> list[ColumnElement[bool]]:
    if every > 1:
        return [MentionSignal.mention_id.in_(select(Mention.id).where(*sampled(window, every)))]
    return [
        MentionSignal.brand_id.in_(window.brand_ids),
        MentionSignal.published_at >= window.since,
        MentionSignal.published_at < window.until,
    ]
