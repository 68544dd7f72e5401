"""What a mention asks for, by the protocol's words: priority, topic, class, route, flag. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from config.phrases import Number, Phrase, joined, phrase
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.triage import ANY_LANGUAGE, GENERAL, FlagRule, Words
from crm_link.negative_class import BY_WORDS, NegativeClass, class_of
from crm_link.phrases import UNSPACED, PhraseFinder, fold_text, split_words
from crm_link.types import Priority
from sentiment.types import Label

__all__ = [
    "UNSPACED",
    "PhraseFinder",
    "TriageInput",
    "TriageRules",
    "Verdict",
    "fold_text",
    "rules_of",
    "split_words",
]

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


@dataclass(frozen=True, slots=True)
class TriageInput:
    """What triage looks at."""

    text: str
    label: str | None
    confidence: float | None
    lang: str | None
    reach: int | None
    #: The class that a person gave it, which wins over the rules.
    person_class: NegativeClass | None = None
    #: The priority that a person gave it, which wins over the words.
    person_priority: Priority | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What triage found. `flag_reason` None: nobody has to look.

    `negative_class` is None where it is not negative.
    """

    priority: Priority
    topic: str
    route: str
    flag_reason: str | None
    urgency: int
    negative_class: NegativeClass | None = None
    opens_case: bool = False


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
            str | None, tuple[PhraseFinder, PhraseFinder, Mapping[str, PhraseFinder], PhraseFinder]
        ] = {}

    def _all_words(self) -> Iterator[Words]:
        yield from (rule.words for rule in self._rules.values())
        yield from (topic.words for topic in self._protocol.topics)
        yield from self._protocol.triage.classes.values()

    def judge(self, mention: TriageInput) -> Verdict:
        """Return what a mention asks for and where it goes."""
        folded = fold_text(mention.text[:MAX_CHARS])
        words = split_words(folded)
        finder, topics, by_priority, classes = self._finders_for(mention)
        found = self._find_priority(finder, by_priority, folded, words, mention.label)
        priority = Priority(found[0]) if found else Priority.OTHER
        if mention.person_priority is not None:
            priority = mention.person_priority
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
        kind = mention.person_class if mention.label == Label.NEGATIVE else None
        if mention.label == Label.NEGATIVE and kind is None:
            by_words = classes.find(folded, words)
            kind = class_of(priority, by_words[0] if by_words else None, mention.text)
        return Verdict(
            priority=priority,
            topic=topic_id,
            route=self.route(mention.label, kind),
            flag_reason=_reason(rule, mention, found) if rule else _said_by_a_person(mention),
            urgency=URGENCY[priority] + negative,
            negative_class=kind,
            opens_case=rule is not None and rule.case,
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
    ) -> tuple[PhraseFinder, PhraseFinder, Mapping[str, PhraseFinder], PhraseFinder]:
        is_sure = mention.lang in self._languages and len(mention.text) >= SURE_LANGUAGE_CHARS
        language = mention.lang if is_sure else None
        if language not in self._finders:
            groups = [
                (one.value, _phrases(rule.words, language)) for one, rule in self._rules.items()
            ]
            topics = [
                (topic.id, _phrases(topic.words, language)) for topic in self._protocol.topics
            ]
            told = self._protocol.triage.classes
            classes = [
                (one.value, _phrases(words, language))
                for one in BY_WORDS
                if (words := told.get(one.value)) is not None  # type: ignore[call-overload]
            ]
            self._finders[language] = (
                PhraseFinder(groups),
                PhraseFinder(topics),
                {name: PhraseFinder([(name, phrases)]) for name, phrases in groups},
                PhraseFinder(classes),
            )
        return self._finders[language]

    def route(self, label: str | None, kind: NegativeClass | None) -> str:
        """Return what is done with a mention, by its label and, if negative, its class."""
        routing = self._protocol.routing
        if label == Label.POSITIVE:
            return routing.positive.do
        if label == Label.NEUTRAL:
            return routing.neutral.do
        if label != Label.NEGATIVE:
            return routing.unknown.do
        return routing.negative.for_class(kind or NegativeClass.OTHER)


#: Compiled rules by the digest of their protocol; a few per brand over a process's life.
_COMPILED: dict[str, TriageRules] = {}
_MOST_COMPILED = 2_000


def rules_of(protocol: EscalationProtocol) -> TriageRules:
    """Return a protocol's triage, compiled once in a process."""
    key = protocol.digest
    rules = _COMPILED.get(key)
    if rules is None:
        if len(_COMPILED) >= _MOST_COMPILED:
            _COMPILED.clear()
        rules = _COMPILED[key] = TriageRules(protocol)
    return rules


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


def _said_by_a_person(mention: TriageInput) -> str | None:
    """Flag what a person called urgent, whatever the protocol's rules say of it."""
    if mention.person_priority in (None, Priority.OTHER):
        return None
    return phrase("%(priority)s: said by a person", priority=mention.person_priority)


def _reason(rule: FlagRule, mention: TriageInput, found: tuple[str, str] | None) -> str:
    """Say why in words: the rule's own, or the phrase of the protocol that was met."""
    if rule.reason:
        return rule.reason
    parts = []
    if found:
        parts.append(
            Phrase("%(priority)s: %(words)s", {"priority": Priority(found[0]), "words": found[1]})
        )
    if rule.label and mention.label:
        parts.append(Phrase(mention.label, {}))
    if rule.confidence_below is not None:
        below = Number(rule.confidence_below, 2)
        parts.append(phrase("confidence below %(value)s", value=below))
    if rule.reach_gte is not None:
        parts.append(phrase("reach of at least %(people)s", people=Number(rule.reach_gte)))
    return joined(", ", parts) or phrase("flagged by the protocol")
