"""What a mention asks for, by the protocol's words: priority, topic, route, flag. Pure.

A text is cut into words once; a phrase is found by its first word, so that the cost does not
grow with the number of phrases. Case, accents and width of letters do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_triage import ANY_LANGUAGE, GENERAL, FlagRule, Words
from crm_link.types import Priority
from sentiment.types import Label

#: How urgent a flag is; higher comes first in the review queue. Negative ones get one more.
URGENCY = {
    Priority.RISK: 40,
    Priority.CANCEL: 30,
    Priority.SERVICE: 20,
    Priority.PURCHASE: 10,
    Priority.OTHER: 0,
}
NEGATIVE_URGENCY = 5

#: The language of shorter texts is a guess, so that the words of all languages count there.
SURE_LANGUAGE_CHARS = 60

#: Only so much of a text is read for words.
MAX_CHARS = 20_000

#: Words of which a finder remembers what begins with them: most words of most texts repeat.
MAX_REMEMBERED = 10_000

_WORD = re.compile(r"\w+")
_MARKS = re.compile(r"[\u0300-\u036f]")
#: Scripts that put no space between words: there a phrase is looked for as it stands.
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def fold_text(text: str) -> str:
    """Return the text without case, accents and letter widths."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))


def split_words(folded: str) -> list[str]:
    """Return the words of a folded text."""
    return _WORD.findall(folded)


#: A phrase as it is looked for: the rank of its group, its words, and how it was written.
_Entry = tuple[int, tuple[str, ...], str]


class PhraseFinder:
    """Finds the first of many groups of which a phrase is in a text."""

    def __init__(self, groups: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Take (name, phrases) in the order in which a group wins over the next."""
        self._names: list[str] = []
        self._by_first: dict[str, list[_Entry]] = defaultdict(list)
        self._by_prefix: dict[str, list[_Entry]] = defaultdict(list)
        self._unspaced: list[tuple[int, str, str]] = []
        self._remembered: dict[str, tuple[_Entry, ...]] = {}
        for rank, (name, phrases) in enumerate(groups):
            self._names.append(name)
            for phrase in phrases:
                self._add(rank, phrase)
        self._prefix_lengths = sorted({len(prefix) for prefix in self._by_prefix})

    def _add(self, rank: int, phrase: str) -> None:
        folded = fold_text(phrase)
        if UNSPACED.search(folded):
            self._unspaced.append((rank, folded.replace("*", ""), phrase))
            return
        words = _phrase_words(folded)
        if words[0].endswith("*"):
            self._by_prefix[words[0][:-1]].append((rank, words, phrase))
        else:
            self._by_first[words[0]].append((rank, words, phrase))

    def find(self, folded: str, words: Sequence[str]) -> tuple[str, str] | None:
        """Return (group, phrase) of the best group found in a text, or None."""
        best: tuple[int, str] | None = None
        for rank, phrase in self._candidates(folded, words):
            if best is None or rank < best[0]:
                best = (rank, phrase)
                if rank == 0:
                    break
        return None if best is None else (self._names[best[0]], best[1])

    def _candidates(self, folded: str, words: Sequence[str]) -> Iterator[tuple[int, str]]:
        remembered = self._remembered
        for place, word in enumerate(words):
            entries = remembered.get(word)
            if entries is None:
                entries = self._remember(word)
            for rank, wanted, phrase in entries:
                if _fits(wanted, words, place):
                    yield rank, phrase
        for rank, wanted_text, phrase in self._unspaced:
            if wanted_text in folded:
                yield rank, phrase

    def _remember(self, word: str) -> tuple[_Entry, ...]:
        """Return the phrases whose first word is met by `word`."""
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        found = list(self._by_first.get(word, ()))
        for length in self._prefix_lengths:
            if length <= len(word):
                found += self._by_prefix.get(word[:length], ())
        entries = self._remembered[word] = tuple(found)
        return entries


def _phrase_words(folded: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+\*?", folded))


def _fits(wanted: tuple[str, ...], words: Sequence[str], place: int) -> bool:
    if len(wanted) > len(words) - place:
        return False
    return all(
        words[place + number].startswith(word[:-1])
        if word.endswith("*")
        else words[place + number] == word
        for number, word in enumerate(wanted)
        if number
    )


@dataclass(frozen=True, slots=True)
class TriageInput:
    """What triage looks at."""

    text: str
    label: str | None
    confidence: float | None
    lang: str | None
    reach: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What triage found. `flag_reason` None: nobody has to look."""

    priority: Priority
    topic: str
    route: str
    flag_reason: str | None
    urgency: int


class TriageRules:
    """A protocol's triage, compiled once for many texts."""

    def __init__(self, protocol: EscalationProtocol) -> None:
        """Compile the words of `protocol`; each language's are put together when first met."""
        self._protocol = protocol
        rules = {Priority(name): rule for name, rule in protocol.triage.priorities.items()}
        self._rules = {one: rules[one] for one in Priority if one in rules}
        self._languages = {
            language
            for words in self._all_words()
            for language in words
            if language != ANY_LANGUAGE
        }
        self._finders: dict[
            str | None, tuple[PhraseFinder, PhraseFinder, Mapping[str, PhraseFinder]]
        ] = {}

    def _all_words(self) -> Iterator[Words]:
        yield from (rule.words for rule in self._rules.values())
        yield from (topic.words for topic in self._protocol.topics)

    def judge(self, mention: TriageInput) -> Verdict:
        """Return what a mention asks for and where it goes."""
        folded = fold_text(mention.text[:MAX_CHARS])
        words = split_words(folded)
        finder, topics, by_priority = self._finders_for(mention)
        found = self._find_priority(finder, by_priority, folded, words, mention.label)
        priority = Priority(found[0]) if found else Priority.OTHER
        topic = topics.find(folded, words)
        topic_id = topic[0] if topic else GENERAL
        rule = next(
            (
                rule
                for rule in self._protocol.triage.flag
                if _is_flagged(rule, mention, priority, topic_id)
            ),
            None,
        )
        negative = NEGATIVE_URGENCY if mention.label == Label.NEGATIVE else 0
        return Verdict(
            priority=priority,
            topic=topic_id,
            route=self._route(mention.label, priority),
            flag_reason=None if rule is None else _reason(rule, mention, found),
            urgency=URGENCY[priority] + negative,
        )

    def _find_priority(
        self,
        finder: PhraseFinder,
        by_priority: Mapping[str, PhraseFinder],
        folded: str,
        words: Sequence[str],
        label: str | None,
    ) -> tuple[str, str] | None:
        found = finder.find(folded, words)
        if found is None or self._counts(found[0], label):
            return found
        # Rare: the most urgent words are there, but do not count with this label.
        for name, one in by_priority.items():
            if self._counts(name, label) and (other := one.find(folded, words)):
                return other
        return None

    def _counts(self, name: str, label: str | None) -> bool:
        labels = self._rules[Priority(name)].label
        return not labels or label in labels

    def _finders_for(
        self, mention: TriageInput
    ) -> tuple[PhraseFinder, PhraseFinder, Mapping[str, PhraseFinder]]:
        is_sure = mention.lang in self._languages and len(mention.text) >= SURE_LANGUAGE_CHARS
        language = mention.lang if is_sure else None
        if language not in self._finders:
            groups = [
                (one.value, _phrases(rule.words, language)) for one, rule in self._rules.items()
            ]
            topics = [
                (topic.id, _phrases(topic.words, language)) for topic in self._protocol.topics
            ]
            self._finders[language] = (
                PhraseFinder(groups),
                PhraseFinder(topics),
                {name: PhraseFinder([(name, phrases)]) for name, phrases in groups},
            )
        return self._finders[language]

    def _route(self, label: str | None, priority: Priority) -> str:
        routing = self._protocol.routing
        if label == Label.POSITIVE:
            return routing.positive.do
        if label == Label.NEUTRAL:
            return routing.neutral.do
        if label != Label.NEGATIVE:
            return routing.unknown.do
        if priority is Priority.RISK and routing.negative.crisis:
            return routing.negative.crisis
        if priority in (Priority.SERVICE, Priority.CANCEL) and routing.negative.complaint:
            return routing.negative.complaint
        return routing.negative.do


def _phrases(words: Words, language: str | None) -> list[str]:
    return [
        phrase
        for name, phrases in words.items()
        if language is None or name in (ANY_LANGUAGE, language)
        for phrase in phrases
    ]


def _is_flagged(rule: FlagRule, mention: TriageInput, priority: Priority, topic: str) -> bool:
    return (
        (not rule.priority or priority.value in rule.priority)
        and (not rule.label or mention.label in rule.label)
        and (not rule.topics or topic in rule.topics)
        and (rule.reach_gte is None or (mention.reach or 0) >= rule.reach_gte)
        and (
            rule.confidence_below is None
            or (mention.confidence is not None and mention.confidence < rule.confidence_below)
        )
    )


def _reason(rule: FlagRule, mention: TriageInput, found: tuple[str, str] | None) -> str:
    """Say why in words: the rule's own, or the phrase of the protocol that was met."""
    if rule.reason:
        return rule.reason
    parts = []
    if found:
        parts.append(f"{found[0]}: {found[1]}")
    if rule.label and mention.label:
        parts.append(mention.label)
    if rule.confidence_below is not None:
        parts.append(f"confidence below {rule.confidence_below:g}")
    if rule.reach_gte is not None:
        parts.append(f"reach of at least {rule.reach_gte:,}")
    return ", ".join(parts) or "flagged by the protocol"
