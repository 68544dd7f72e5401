"""The bundled models, run with onnxruntime: no torch, no model hub, one thread.

Two models of one form: one that reads English, and one for the other languages it was trained
in. Both judge a text as a whole, or toward a target that is given beside it. Every folder
holds the model, its tokenizer, its config and `groundswell.json` with what the shipped weights
need to be used rightly: languages, length, heads, calibration. A folder with heads gives emotion,
irony and offence out of the same run as the polarity.

Limits: a text is cut at `max_tokens` (96, more than a long post has); a language that neither
model was trained in is answered with "unknown". Sarcasm is mostly taken at its word.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from emoji import emoji_count

from config.errors import InputError
from sentiment.heads import HeadScores
from sentiment.language import UNDETERMINED, find_language
from sentiment.normalise import HANDLE, normalise
from sentiment.onnx_session import session_options
from sentiment.scorer import Scorer
from sentiment.types import Label, ScorableText, Sentiment, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Where the bundled models are.
BUNDLED = Path(__file__).parents[1] / "model"

#: Texts in one run of the model, sorted by length. Small, because 8 short texts just fill a
#: core's cache: 32 take a fifth more time for each (measured, 1 MB of L2).
BATCH = 8

#: Probability of its language from which a text is taken to be plainly in it.
PLAIN = 0.6

#: Characters of a text that are prepared at all: many times what the models' tokens hold.
MAX_CHARS = 4_000

Pair = tuple[str, str | None]

#: Name of the output that holds the polarity; the others are named after their heads.
POLARITY = "logits"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes probabilities of a model's raw outputs: softmax of logits / temperature."""

    message: float
    toward: float


@dataclass(frozen=True, slots=True)
class Head:
    """One more output of a model: what its columns mean, and its calibration."""

    labels: tuple[str, ...]
    temperature: float


class OnnxModel:
    """One model folder: gives probabilities for texts, each with or without a target."""

    def __init__(self, folder: Path) -> None:
        """Load the folder.

        Raises:
            InputError: The folder holds no model of this form.
        """
        self.folder = folder
        try:
            about = json.loads((folder / "groundswell.json").read_text(encoding="utf-8"))
            labels = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        except FileNotFoundError as error:
            msg = f"{error.filename} is missing: {folder} is not a model folder of the onnx scorer"
            raise InputError(msg) from error
        self.version = f"{about['name']}-{about['version']}"
        self.languages = frozenset[str](about["languages"])
        #: Whether judgements toward a target are good enough to be asked for.
        self.toward: bool = about["toward"]
        self._max_tokens: int = about["max_tokens"]
        self._calibration = Calibration(**about["temperature"])
        #: Outputs beside the polarity; empty for a model that has not learnt any.
        self.heads: dict[str, Head] = {
            name: Head(tuple(head["labels"]), head["temperature"])
            for name, head in about.get("heads", {}).items()
        }
        self._columns = [
            next(int(place) for place, name in labels.items() if name.lower() == label)
            for label in (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
        ]
        self._tokenizer = _load_tokenizer(folder)
        self._session = _open_session(folder / "model.onnx")
        self._inputs = {found.name for found in self._session.get_inputs()}

    def probabilities(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Return negative, neutral and positive probability of each (text, target), in order.

        The texts must be normalised.
        """
        return self.all_probabilities(pairs)[0]

    def all_probabilities(
        self, pairs: Sequence[Pair]
    ) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        """Return what `probabilities` returns, and each head's, out of one run of the model."""
        outputs = self.outputs(pairs)
        toward = np.array([target is not None for _, target in pairs], dtype=bool)
        heat = np.where(toward, self._calibration.toward, self._calibration.message)
        heads = {
            name: softmax(outputs[name] / head.temperature) for name, head in self.heads.items()
        }
        return softmax(outputs[POLARITY] / heat[:, None]), heads

    def logits(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Return the raw outputs of the polarity for each (text, target), in order."""
        return self.outputs(pairs)[POLARITY]

    def outputs(self, pairs: Sequence[Pair]) -> dict[str, NDArray[np.float64]]:
        """Return the raw outputs of the polarity and of each head, rows in the pairs' order."""
        result = {
            name: np.zeros((len(pairs), len(head.labels))) for name, head in self.heads.items()
        }
        result[POLARITY] = np.zeros((len(pairs), 3))
        names = list(result)
        alone = [place for place, (_, target) in enumerate(pairs) if target is None]
        paired = [place for place, (_, target) in enumerate(pairs) if target is not None]
        for places in (alone, paired):
            if not places:
                continue
            texts = [pairs[place][0] for place in places]
            targets = [pairs[place][1] for place in places] if places is paired else None
            ids = self._tokenizer(
                texts, targets, truncation="longest_first", max_length=self._max_tokens
            )
            order = sorted(range(len(places)), key=lambda row: len(ids["input_ids"][row]))
            for start in range(0, len(order), BATCH):
                rows = order[start : start + BATCH]
                fed = self._tokenizer.pad(
                    {name: [ids[name][row] for row in rows] for name in ids}, return_tensors="np"
                )
                feed = {name: fed[name].astype(np.int64) for name in self._inputs}
                found = self._session.run(names, feed)
                for name, out in zip(names, found, strict=True):
                    here = [places[row] for row in rows]
                    result[name][here] = out[:, self._columns] if name == POLARITY else out
        return result


class OnnxScorer(Scorer):
    """Judges texts with the bundled models, or with the model folder that the argument names."""

    def __init__(self, argument: str = "") -> None:
        """Load the models.

        Raises:
            InputError: The argument is not a model folder, or the bundled ones are missing.
        """
        super().__init__(argument)
        bundled = sorted(about.parent for about in BUNDLED.glob("*/groundswell.json"))
        if not (argument or bundled):
            raise InputError(
                f"the bundled models are missing from {BUNDLED}: install Groundswell again, or set "
                "GROUNDSWELL_SCORER=vader (English only, less often right) or onnx:FOLDER"
            )
        self._models = [OnnxModel(folder) for folder in ([Path(argument)] if argument else bundled)]

    @property
    def version(self) -> str:
        """Names and versions of the models."""
        return "onnx/" + "+".join(model.version for model in self._models)

    @property
    def versions(self) -> frozenset[str]:
        """Each judgement names the one model that made it."""
        return frozenset({self.version, *(f"onnx/{model.version}" for model in self._models)})

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        """Return one judgement for each text, in order."""
        return [sentiment for sentiment, _ in self.score_with_heads(texts)]

    def score_with_heads(self, texts: Sequence[ScorableText]) -> list[tuple[Sentiment, HeadScores]]:
        """Return the judgement and the heads of each text, in order, from one run of the model.

        The heads are empty where the model that reads the text's language has not learnt them.
        """
        routes = [self._route(text) for text in texts]
        results = [(unknown(lang, self.version), HeadScores()) for lang, _ in routes]
        for model in self._models:
            places = [place for place, (_, taken) in enumerate(routes) if taken is model]
            pairs = [readable(texts[place]) for place in places]
            if not model.toward:
                pairs = [(text, None) for text, _ in pairs]
            found, heads = model.all_probabilities(pairs)
            for row, place in enumerate(places):
                sentiment = _sentiment(found[row], routes[place][0], f"onnx/{model.version}")
                results[place] = (sentiment, _head_scores(model, heads, row))
        return results

    def _route(self, text: ScorableText) -> tuple[str, OnnxModel | None]:
        """Return the text's language and the model that reads it, None if none does.

        The last model is the one that reads most languages. It also takes what is probably
        not plain English (Hindi in Latin letters is found as unsure English) and texts too
        short or too mixed for their language to be told: there its confidence says how little
        is known, while the English one is sure of itself. Emoji alone go to the one that reads
        English, as which they are written out; without any there is nothing to judge.
        """
        language = find_language(text.text, text.lang, text.targets)
        if language.code != UNDETERMINED:
            able = [model for model in self._models if language.code in model.languages]
            if not able:
                return language.code, None
            return language.code, able[0 if language.probability >= PLAIN else -1]
        if language.has_letters:
            return language.code, self._models[-1]
        return language.code, self._models[0] if emoji_count(text.text) else None


def readable(text: ScorableText) -> Pair:
    """Return the text and its target as the model reads them.

    Of several names of the target, the one that the text uses is taken. A text that uses none
    of them (an answer to the brand's post, a name misspelt) is judged as a whole: that it is
    about the brand is already known, and the model would only say that it does not name it. So
    is a text that speaks to the brand, which begins with its handle and has no other: all of it
    is meant for the brand (airline tweets, never trained on: 0.6 points of macro recall more).
    """
    said = text.text[:MAX_CHARS]
    whole = normalise(said)
    for name in text.targets:
        bare = name.lstrip("@#")
        plain = normalise(said, bare)
        if bare and bare.casefold() in plain.casefold():
            is_to_it = whole.startswith(HANDLE) and whole.count(HANDLE) == 1
            return (whole, None) if is_to_it and HANDLE not in plain else (plain, normalise(bare))
    return whole, None


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows of `logits` as probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return chances


def _sentiment(chances: NDArray[np.float64], lang: str, scorer: str) -> Sentiment:
    negative, neutral, positive = (float(chance) for chance in chances)
    best = int(chances.argmax())
    return Sentiment(
        label=(Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)[best],
        score=positive - negative,
        p_negative=negative,
        p_neutral=neutral,
        p_positive=positive,
        confidence=float(chances[best]),
        lang=lang,
        scorer=scorer,
    )


def _head_scores(model: OnnxModel, heads: dict[str, NDArray[np.float64]], row: int) -> HeadScores:
    """Return one text's heads; of irony and offence, the probability of the last label."""
    if not heads:
        return HeadScores()
    emotions = dict(zip(model.heads["emotion"].labels, heads["emotion"][row].tolist(), strict=True))
    return HeadScores(
        emotion=max(emotions, key=emotions.__getitem__),
        p_emotion=emotions,
        irony=float(heads["irony"][row, -1]),
        offensive=float(heads["offensive"][row, -1]),
    )


def _open_session(path: Path) -> onnxruntime.InferenceSession:
    # One thread: two such processes use two cores better than one process with two threads.
    options = session_options(threads=1)
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _load_tokenizer(folder: Path) -> Any:  # noqa: ANN401  # transformers leaves it untyped
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    from transformers import AutoTokenizer  # noqa: PLC0415  # slow, and reads the environment

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)
