"""The bundled English model against `transformers.pipeline`, one core, the same weights.

`python -m tests.benchmarks.bench_scorers` (needs torch and onnx). Prints CPU milliseconds for
each text, how often both give the same label, and the memory of a process that scores.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

from sentiment.normalise import normalise
from sentiment.scorers.onnx import BUNDLED, OnnxModel
from tests.conftest import SHARED
from tests.networks.posts import made_up_posts

TEXTS = 1_000
#: Texts for the pipeline, which is too slow for all of them.
PIPELINE_TEXTS = 300

_MEMORY = """
from sentiment.scorer import make_scorer
from sentiment.types import ScorableText
scorer = make_scorer("onnx")
scorer.score([ScorableText(f"I like my phone number {place}") for place in range(500)])
scorer.score([ScorableText(f"Mir gefällt mein Telefon Nummer {place}") for place in range(500)])
lines = open("/proc/self/status", encoding="utf-8").read().splitlines()
# Not getrusage: it begins with the peak of the process that started this one.
print(next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM:")))
"""


def main() -> None:
    """Print every figure."""
    texts = _texts()
    ours, labels = _ours(texts)
    theirs, other = _pipeline(texts[:PIPELINE_TEXTS])
    same = sum(one == two for one, two in zip(labels, other, strict=False)) / len(other)
    print(f"bundled model: {ours:.2f} ms of CPU a text ({len(texts)} texts)")
    print(f"transformers.pipeline(list): {theirs:.2f} ms a text, {theirs / ours:.1f} times as much")
    print(f"same label: {same:.1%}")
    found = subprocess.run(  # our own interpreter
        [sys.executable, "-c", _MEMORY], check=True, capture_output=True, text=True
    )
    print(f"memory of a scoring process, both models: {found.stdout.strip()} MB")


def _texts() -> list[str]:
    path = SHARED / "data" / "sentiment" / "tweets_val.jsonl"
    if not path.exists():
        posts = made_up_posts(TEXTS, seed=1, authors=50, start=0.0, span_s=1000.0)
        return [normalise(post["text"]) for post in posts]
    with path.open(encoding="utf-8") as lines:
        return [normalise(json.loads(line)["text"]) for line in lines][:TEXTS]


def _ours(texts: list[str]) -> tuple[float, list[str]]:
    model = OnnxModel(BUNDLED / "en")
    pairs = [(text, None) for text in texts]
    model.probabilities(pairs[:16])
    began = process_time()
    found = model.probabilities(pairs)
    spent = (process_time() - began) / len(texts) * 1000
    return spent, [("negative", "neutral", "positive")[place] for place in found.argmax(axis=1)]


def _pipeline(texts: list[str]) -> tuple[float, list[str]]:
    import torch  # noqa: PLC0415  # not installed where models only run
    from transformers import pipeline  # noqa: PLC0415

    from sentiment.training.restore import restore  # noqa: PLC0415

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        weights = restore(BUNDLED / "en", Path(folder))
        classify = pipeline("text-classification", model=str(weights), device=-1, top_k=None)
        classify(texts[:16])
        began = process_time()
        found = classify(texts)
        spent = (process_time() - began) / len(texts) * 1000
    polarity = [[one for one in each if ":" not in one["label"]] for each in found]
    return spent, [max(each, key=lambda one: one["score"])["label"] for each in polarity]


if __name__ == "__main__":
    main()
