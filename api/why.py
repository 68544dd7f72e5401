"""Why a mention was judged as it was: the words that carried it, found when somebody asks.

Leaving words out and scoring again costs one judgement a word, and some times as many where
several words are each enough: mostly 0.1 to 0.5 s with the bundled model. One explanation runs
at a time in a process, so that many readers do not take the machine from the scoring.

Loading a model costs seconds. The server does it in the background at its start; whoever asks
before it is there is told so at once.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from config.errors import ConflictError, TransientError
from config.phrases import phrase
from config.settings import Settings
from crm_link.mention_view import get_mention
from sentiment.attribution import MAX_CHARS, explain
from sentiment.fast_lane import PROVISIONAL, is_provisional
from sentiment.history import Judge, judgements_of
from sentiment.late_scorer import LateScorer
from sentiment.types import Label, ScorableText, WordWeight

#: Parts of the heaviest word's weight from which a word is shown, marked, and marked strongly.
_SHARES = (0.15, 0.4, 0.75)

#: Weights below this are noise, whatever the heaviest one is.
_LEAST_WEIGHT = 0.02

#: Words that are named beside the text.
MOST_NAMED = 8

#: What stands after it in a scorer's version is a brand's own calibration.
_CALIBRATION = "~"

_ONE_AT_A_TIME = threading.Lock()

#: Seconds that a question waits for a scorer that is being loaded: quick ones are there by then.
_PATIENCE_S = 0.25

#: Seconds after which asking again is worth while.
_ASK_AGAIN_S = 2.0

_LOADING: dict[str, Future[LateScorer]] = {}
_LOADING_LOCK = threading.Lock()


class LoadingError(TransientError):
    """The scorer that explains is still being loaded."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text; `level` 0 carried nothing, 1 to 3 carried ever more."""

    text: str
    weight: float
    level: int

    @property
    def direction(self) -> str:
        """Which way it moved the judgement."""
        return "negative" if self.weight < 0 else "positive"


@dataclass(frozen=True, slots=True)
class Why:
    """The words that carried a judgement.

    Args:
        mention_id: The mention.
        label: What counts now.
        judged_by: What made the judgement that is explained; None where only a person spoke.
        explained_by: The scorer that was asked for the explanation.
        is_same: Whether the two are the same version; if not, the words explain what
            `explained_by` says, which may differ.
        said: What `explained_by` says of the text.
        score: Its score, -1 to +1.
        words: Every word of the text that was looked at, with what it did to the score; the
            brand's own name has 0, as without it nothing is said about the brand.
        text: The text, of which `words` gives places.
        is_cut: Whether the text is longer than what was looked at.

    """

    mention_id: int
    label: Label
    judged_by: str | None
    explained_by: str
    is_same: bool
    said: Label
    score: float
    words: tuple[WordWeight, ...]
    text: str
    is_cut: bool

    @property
    def pieces(self) -> list[Piece]:
        """Return the whole text in stretches, each with its level."""
        return _pieces(self.text, self.words)

    @property
    def named(self) -> list[Piece]:
        """Return the words that carried most, the heaviest first, each once."""
        found: dict[str, Piece] = {}
        for piece in sorted(self.pieces, key=lambda one: -abs(one.weight)):
            if piece.level:
                found.setdefault(piece.text.lower(), piece)
        return list(found.values())[:MOST_NAMED]


def why(sessions: sessionmaker[Session], settings: Settings, mention_id: int) -> Why:
    """Return the words that carried the judgement of a mention.

    The scorer that the settings name explains it; a judgement that is still the lexicon's is
    explained by the lexicon. Where a person has said the label, the model's is explained.

    Raises:
        NotFoundError: There is no such mention.
        ConflictError: It is deleted, or not judged yet.
        InputError: The scorer cannot be loaded; the message says why.
        LoadingError: It is being loaded; it is there in some seconds.

    """
    with read_session(sessions) as session:
        mention = get_mention(session, mention_id)
        if mention.deleted_at is not None:
            raise ConflictError(
                "mention %(mention_id)s was deleted by its author: no text is kept",
                mention_id=mention_id,
            )
        if mention.label is None:
            raise ConflictError(
                "mention %(mention_id)s is not judged yet; try again in a minute",
                mention_id=mention_id,
            )
        label, scorer = Label(mention.label), mention.scorer
        said = [one for one in judgements_of(session, mention_id) if one.who is not Judge.PERSON]
        text, names = mention.text, tuple(mention.brand.names)
        lang = mention.platform_lang
    judged_by = said[0].scorer if said else None
    is_lexicon = is_provisional(scorer) or bool(said and said[0].who is Judge.LEXICON)
    judge = _scorer(
        settings.fast_scorer if is_lexicon and settings.fast_scorer else settings.scorer
    )
    with _ONE_AT_A_TIME:
        [whole] = judge.score([ScorableText(text[:MAX_CHARS], names, lang)])
        words = explain(judge, text, names, lang=lang)
        versions = judge.versions
        explained_by = judge.version
    plain = (judged_by or "").removeprefix(PROVISIONAL).partition(_CALIBRATION)[0]
    return Why(
        mention_id=mention_id,
        label=label,
        judged_by=judged_by,
        explained_by=plain if plain in versions else explained_by,
        is_same=plain in versions,
        said=whole.label,
        score=whole.score,
        words=words,
        text=text,
        is_cut=len(text) > MAX_CHARS,
    )


def load_scorers(settings: Settings) -> list[Future[LateScorer]]:
    """Begin to load what explains judgements, in the background; return what will be there."""
    wanted = dict.fromkeys((settings.scorer, settings.fast_scorer or settings.scorer))
    return [_load(one) for one in wanted]


def _scorer(setting: str) -> LateScorer:
    """Return the scorer of this process, which is kept for the next question."""
    loading = _load(setting)
    try:
        return loading.result(timeout=_PATIENCE_S)
    except TimeoutError:
        raise LoadingError(
            phrase(
                "the model that explains judgements is being loaded; try again in a few seconds"
            ),
            retry_after_s=_ASK_AGAIN_S,
        ) from None


def _load(setting: str) -> Future[LateScorer]:
    """Return a scorer that is loaded or on its way; one that failed is tried again."""
    with _LOADING_LOCK:
        found = _LOADING.get(setting)
        if found is None or (found.done() and found.exception() is not None):
            found = _LOADING[setting] = Future()
            # A daemon: a process that stops does not wait for a model.
            threading.Thread(
                target=_fill, args=(setting, found), name="load-scorer", daemon=True
            ).start()
        return found


def _fill(setting: str, loading: Future[LateScorer]) -> None:
    try:
        scorer = LateScorer(setting)
        scorer.load()
    except Exception as error:  # noqa: BLE001 - whoever asks gets it, as if loading were theirs
        loading.set_exception(error)
    else:
        loading.set_result(scorer)


def _pieces(text: str, words: Sequence[WordWeight]) -> list[Piece]:
    most = max((abs(word.weight) for word in words), default=0.0)
    pieces: list[Piece] = []
    at = 0
    for word in words:
        level = _level(abs(word.weight), most)
        if not level:
            continue
        if word.start > at:
            pieces.append(Piece(text[at : word.start], 0.0, 0))
        pieces.append(Piece(text[word.start : word.end], word.weight, level))
        at = word.end
    if at < len(text):
        pieces.append(Piece(text[at:], 0.0, 0))
    return pieces


def _level(weight: float, most: float) -> int:
    if weight < _LEAST_WEIGHT:
        return 0
    return sum(weight >= share * most for share in _SHARES)
