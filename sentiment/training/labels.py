"""The teachers' opinion on the texts that the student will see: their probabilities, in files.

Only rows that the student's recipe draws are asked about, in bf16. Resumable: rows that the file
already has are not asked again.
"""

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import torch
from rich.progress import Progress

from sentiment.training.data import Row, batches, soft_labels, training_rows
from sentiment.training.recipes import Recipe, recipe_of
from sentiment.training.tasks import columns
from sentiment.training.train import encode, load

_AT_ONCE = 64
_WRITE_EVERY = 16


def label(
    recipe: Recipe, *, data: Path, work: Path, threads: int, part: int = 0, parts: int = 1
) -> None:
    """Write each teacher's probabilities for the rows of the recipe's first `labelled_steps`.

    Several processes may each do one of `parts`: beside other work, processes of one thread are
    faster than one of several. Each has its files, `work/soft_labels.<teacher>.<part>.jsonl`.
    """
    torch.set_num_threads(threads)
    sources = [training_rows(data, name, seed=recipe.seed) for name in recipe.shares]
    drawn = batches(sources, list(recipe.shares.values()), size=recipe.batch, seed=recipe.seed)
    rows: dict[str, Row] = {}
    for batch in islice(drawn, recipe.labelled_steps):
        rows.update((row.id, row) for row in batch)
    mine = [rows[found] for place, found in enumerate(sorted(rows)) if place % parts == part]
    for teacher in recipe.teachers:
        known = soft_labels(work, teacher)
        wanted = [row for row in mine if row.id not in known]
        if wanted:
            _ask(teacher, wanted, work=work, path=work / f"soft_labels.{teacher}.{part}.jsonl")


def _ask(name: str, rows: Sequence[Row], *, work: Path, path: Path) -> None:
    teacher = recipe_of(name)
    tokenizer, model = load(work / name, heads=teacher.heads)
    model.eval()
    # Sorted within large pieces: little padding, and what is written is of every length.
    with path.open("a", encoding="utf-8") as out, Progress() as progress:
        task = progress.add_task(f"labels of {name}", total=len(rows))
        for start in range(0, len(rows), piece := _AT_ONCE * _WRITE_EVERY):
            asked = sorted(rows[start : start + piece], key=lambda row: len(row.text))
            for place in range(0, len(asked), _AT_ONCE):
                batch = asked[place : place + _AT_ONCE]
                fed = encode(tokenizer, batch, teacher.max_tokens)
                with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
                    logits = model(**fed).logits.float()
                out.writelines(_lines(batch, logits, teacher.heads))
                progress.advance(task, len(batch))
            out.flush()


def _lines(rows: Sequence[Row], logits: torch.Tensor, heads: tuple[str, ...]) -> list[str]:
    parts = [logits[:, places].softmax(-1) for places in columns(heads).values()]
    chances = torch.cat(parts, dim=1).tolist()
    return [
        json.dumps({"id": row.id, "probabilities": [round(chance, 4) for chance in found]}) + "\n"
        for row, found in zip(rows, chances, strict=True)
    ]
