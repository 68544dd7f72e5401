"""The teacher's opinion on the texts that the student will see: its probabilities, kept in a file.

Only rows that the student's recipe draws are asked about. Resumable: rows that the file already
has are not asked again.
"""

import json
from itertools import islice
from pathlib import Path

from rich.progress import track

from sentiment.scorers.onnx import OnnxModel
from sentiment.training.data import CARE, Row, batches, training_rows
from sentiment.training.recipes import Recipe

_AT_ONCE = 512


def label(recipe: Recipe, teacher: Path, *, data: Path, work: Path) -> Path:
    """Write `work/soft_labels.jsonl`: the teacher's probabilities for the recipe's rows."""
    path = work / "soft_labels.jsonl"
    sources = [training_rows(data, name, seed=recipe.seed) for name in recipe.shares]
    drawn = batches(sources, list(recipe.shares.values()), size=recipe.batch, seed=recipe.seed)
    wanted: dict[str, Row] = {}
    for batch in islice(drawn, recipe.steps):
        # The teacher never saw the made-up messages, whose labels are certain anyway.
        wanted.update((row.id, row) for row in batch if not row.id.startswith(CARE))
    if path.exists():
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                wanted.pop(json.loads(line)["id"], None)
    model = OnnxModel(teacher)
    rows = list(wanted.values())
    with path.open("a", encoding="utf-8") as out:
        for start in track(range(0, len(rows), _AT_ONCE), description="labels"):
            asked = rows[start : start + _AT_ONCE]
            chances = model.probabilities([(row.text, row.target) for row in asked])
            for row, found in zip(asked, chances, strict=True):
                kept = {
                    "id": row.id,
                    "probabilities": [round(float(chance), 4) for chance in found],
                }
                out.write(json.dumps(kept) + "\n")
            out.flush()
    return path
