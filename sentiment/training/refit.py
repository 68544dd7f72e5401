"""Fitting the heads' last layer anew, where averaging has moved the encoder below them.

The polarity's outputs stay as they are. A head's outputs are a logistic regression on what the
encoder says of its training texts: exact, and done in a minute.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from sentiment.training.data import Row, training_rows
from sentiment.training.tasks import SENTIMENT, columns
from sentiment.training.train import encode, load

#: Inverse strength of the regression's penalty. The validation sets differ by a point between
#: 0.3 and 3; the stronger penalty was taken.
INVERSE_PENALTY = 0.3

_BATCH = 64


def refit_heads(
    folder: Path, *, heads: tuple[str, ...], data: Path, max_tokens: int, threads: int
) -> None:
    """Fit the last layer of each head of the weights in `folder`, and write them there."""
    torch.set_num_threads(threads)
    tokenizer, model = load(folder, heads=heads)
    model.eval()
    last = model.classifier
    for task, places in columns(heads).items():
        if task == SENTIMENT:
            continue
        rows = training_rows(data, f"{task}_train", seed=0)
        found = _fit(_read(tokenizer, model, rows, max_tokens), [row.label for row in rows])
        with torch.no_grad():
            last.weight[places], last.bias[places] = (torch.from_numpy(one) for one in found)
    model.save_pretrained(folder)


def _read(
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    rows: Sequence[Row],
    max_tokens: int,
) -> NDArray[np.float32]:
    """Return what the encoder says of each row, rows by width."""
    read = np.zeros((len(rows), model.config.hidden_size), dtype=np.float32)
    order = sorted(range(len(rows)), key=lambda place: len(rows[place].text))
    for start in range(0, len(order), _BATCH):
        places = order[start : start + _BATCH]
        given = encode(tokenizer, [rows[place] for place in places], max_tokens)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            read[places] = model.base_model(**given).pooler_output.float().numpy()
    return read


def _fit(
    read: NDArray[np.float32], labels: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weights (labels by width) and biases, rare labels weighted up."""
    fitted = LogisticRegression(C=INVERSE_PENALTY, max_iter=2000, class_weight="balanced")
    fitted.fit(read, labels)
    weights, biases = fitted.coef_, fitted.intercept_
    if len(weights) == 1:
        # Of two labels the regression gives the second; the first is what it is measured against.
        weights, biases = np.vstack([0 * weights, weights]), np.concatenate([[0.0], biases])
    return weights.astype(np.float32), biases.astype(np.float32)
