"""Answers to usual questions: which of the protocol's fits what somebody asks. Pure.

A question is met by its words: those that both have, the rarer in the file the weightier, with
spelling mistakes forgiven. A text that is no question and complains of nothing is not answered.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.statements import Faq
from crm_link.fingerprints import normal_text
from crm_link.triage_rules import UNSPACED

#: From which share of a question's weight on it is met, 0 to 1.
LEAST_LIKENESS = 0.6

#: rapidfuzz's ratio from which two words are the same but for a spelling mistake.
SAME_WORD = 84.0

#: Shorter words are compared exactly.
LEAST_LETTERS = 4

#: Longer texts hold more than a question.
MAX_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class SuggestedAnswer:
    """An answer of the protocol that fits a text.

    Args:
        faq_id: The question's id in the protocol.
        question: The way of asking that is nearest.
        answer: What to say.
        lang: The answer's language, `any` where the file does not say.
        likeness: How much of the question is met, 0 to 1.

    """

    faq_id: str
    question: str
    answer: str
    lang: str
    likeness: float


def suggest_answer(
    protocol: EscalationProtocol, text: str, lang: str | None = None
) -> SuggestedAnswer | None:
    """Return the protocol's answer to what `text` asks; None: it has none that fits.

    Args:
        protocol: The brand's protocol.
        text: What somebody wrote.
        lang: Its language where known; the answer is given in it if the protocol has it.

    """
    asked = _words(text[:MAX_CHARS])
    if not asked:
        return None
    patterns = [
        (faq, phrase, _words(phrase))
        for faq in protocol.faq
        for phrases in faq.questions.values()
        for phrase in phrases
    ]
    spread = Counter(word for _, _, words in patterns for word in set(words))
    best: tuple[float, Faq, str] | None = None
    for faq, phrase, words in patterns:
        likeness = _likeness(words, asked, spread, len(patterns))
        if likeness >= LEAST_LIKENESS and (best is None or likeness > best[0]):
            best = (likeness, faq, phrase)
    if best is None:
        return None
    likeness, faq, phrase = best
    language, answer = faq.answer_in(lang)
    return SuggestedAnswer(faq.id, phrase, answer, language, round(likeness, 3))


def _words(text: str) -> Sequence[str]:
    """Return the words of a text, case and accents folded; pairs of letters without spaces."""
    normal = normal_text(text)
    if UNSPACED.search(normal):
        joined = normal.replace(" ", "")
        return [joined[start : start + 2] for start in range(len(joined) - 1)]
    return normal.split()


def _likeness(
    words: Sequence[str], asked: Sequence[str], spread: Counter[str], patterns: int
) -> float:
    """Return how much of a question's words stands in a text, by weight, 0 to 1."""
    weights = {word: 1.0 + math.log((1 + patterns) / (1 + spread[word])) for word in set(words)}
    total = sum(weights.values())
    met = sum(weight for word, weight in weights.items() if _is_in(word, asked))
    return met / total if total else 0.0


def _is_in(word: str, asked: Sequence[str]) -> bool:
    if word in asked:
        return True
    if len(word) < LEAST_LETTERS:
        return False
    near = process.extractOne(word, asked, scorer=fuzz.ratio, score_cutoff=SAME_WORD)
    return near is not None
