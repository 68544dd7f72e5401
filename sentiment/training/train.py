"""The training loop: one recipe, resumable from its last checkpoint.

Runs in bf16 on the CPU. The batch of a step depends on the seed and the step alone, so a run
that was stopped and resumed sees the same rows as one that was not.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BatchEncoding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from sentiment.training.data import Row, batches, mean_labels, training_rows
from sentiment.training.recipes import Recipe
from sentiment.training.tasks import columns, output_labels

CHECKPOINT_EVERY = 50


def train(recipe: Recipe, *, data: Path, work: Path, threads: int) -> Path:
    """Train `recipe` and return the folder of its weights, `work/<name>`.

    A file `work/<name>.stop` that holds a step number ends the run early at that step, with
    the learning rate brought down to nothing by then.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    result = work / recipe.name
    tokenizer, model = load(work / recipe.base, heads=recipe.heads, dropout=recipe.dropout)
    trained = _trained_parameters(model, recipe)
    optimiser = torch.optim.AdamW(
        trained, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    average = [parameter.detach().clone() for parameter in trained]
    checkpoint = work / f"{recipe.name}.checkpoint.pt"
    step = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average = state["average"]
        step = state["step"]
    teacher = mean_labels(work, recipe.teachers)
    sources, shares = _sources(recipe, teacher, data)
    drawn = batches(sources, shares, size=recipe.batch, seed=recipe.seed, start=step)
    model.train()
    log = (work / f"{recipe.name}.log").open("a", encoding="utf-8")
    losses: list[float] = []
    with Progress() as progress, log:
        task = progress.add_task(recipe.name, total=recipe.steps, completed=step)
        while step < (last := _last_step(recipe, work)):
            rate = recipe.learning_rate * _rate(step, last, recipe.warm_up)
            for group in optimiser.param_groups:
                group["lr"] = rate
            rows = next(drawn)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(**encode(tokenizer, rows, recipe.max_tokens)).logits
            loss = _loss(logits.float(), rows, teacher, recipe)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            step += 1
            decay = min(recipe.average_decay, step / (step + 10))
            for mean, parameter in zip(average, trained, strict=True):
                mean.lerp_(parameter.detach(), 1 - decay)
            losses.append(loss.item())
            progress.update(task, completed=step, total=last)
            if step % CHECKPOINT_EVERY == 0 or step == last:
                log.write(json.dumps({"step": step, "loss": float(np.mean(losses))}) + "\n")
                log.flush()
                losses.clear()
                _save_checkpoint(checkpoint, model, optimiser, average, step)
    for mean, parameter in zip(average, trained, strict=True):
        parameter.data.copy_(mean)
    model.save_pretrained(result)
    tokenizer.save_pretrained(result)
    (result / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1), encoding="utf-8")
    return result


def average(parts: Sequence[Path], result: Path) -> Path:
    """Write the mean of several folders' weights, trained from the same start, into `result`.

    Better than the mean of their answers would cost, and than one run as long (model soups,
    Wortsman et al. 2022). Outputs that only the first has stay as it has them.
    """
    states = [load_file(part / "model.safetensors") for part in parts]
    for state in states[1:]:
        for name, weights in states[0].items():
            if len(state[name]) < len(weights):
                state[name] = torch.cat([state[name], weights[len(state[name]) :]])
    mean = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
    shutil.copytree(parts[0], result, dirs_exist_ok=True)
    save_file(mean, result / "model.safetensors", metadata={"format": "pt"})
    return result


def encode(
    tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row], max_tokens: int
) -> BatchEncoding:
    """Return the rows as the model's input: the text alone, or the text and its target."""
    return tokenizer(
        [row.text if row.target is None else (row.text, row.target) for row in rows],
        truncation="longest_first",
        max_length=max_tokens,
        padding=True,
        # Every new shape costs the matrix library a preparation; so there are few of them.
        pad_to_multiple_of=8,
        return_tensors="pt",
    )


def load(
    base: Path, *, heads: tuple[str, ...] = (), dropout: float = 0.0
) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """Return the tokenizer and the model of a folder, with one output for each head's label.

    Outputs that the folder's model does not have yet begin with small random weights, the others
    with its own.
    """
    labels = output_labels(heads)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForSequenceClassification.from_pretrained(
        base,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
        ignore_mismatched_sizes=True,
        # The fused attention's backward pass is slow on this processor: half of a step.
        attn_implementation="eager",
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        dtype=torch.float32,
    )
    saved = load_file(base / "model.safetensors")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Outputs that are there already stay as they are: the polarity's come first.
            if name in saved and len(saved[name]) < len(parameter):
                parameter[: len(saved[name])] = saved[name]
    return tokenizer, model


def _sources(
    recipe: Recipe, teacher: dict[str, list[float]], data: Path
) -> tuple[list[list[Row]], list[float]]:
    """Return what rows are drawn from and the shares: all, and once more those with opinions."""
    sources = [training_rows(data, name, seed=recipe.seed) for name in recipe.shares]
    shares = list(recipe.shares.values())
    if not teacher:
        return sources, shares
    judged = [[row for row in rows if row.id in teacher] for rows in sources]
    wanted = [
        recipe.judged_share * share if rows else 0.0
        for rows, share in zip(judged, shares, strict=True)
    ]
    return sources + judged, [(1 - recipe.judged_share) * share for share in shares] + wanted


def _trained_parameters(model: nn.Module, recipe: Recipe) -> list[nn.Parameter]:
    frozen = [f".layer.{place}." for place in range(recipe.frozen_layers)]
    if not recipe.train_embeddings:
        frozen.append("embeddings.")
    for name, parameter in model.named_parameters():
        parameter.requires_grad = not any(part in name for part in frozen)
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _last_step(recipe: Recipe, work: Path) -> int:
    stop = work / f"{recipe.name}.stop"
    return int(stop.read_text(encoding="utf-8")) if stop.exists() else recipe.steps


def _rate(step: int, last: int, warm_up: float) -> float:
    rising = last * warm_up
    return min((step + 1) / rising, (last - step) / (last - rising))


def _loss(
    logits: torch.Tensor, rows: Sequence[Row], teacher: dict[str, list[float]], recipe: Recipe
) -> torch.Tensor:
    """Return the mean loss: each row against its own label, and what the teacher said of it.

    The teacher has an opinion on every head, the label speaks of one.
    """
    total = logits.new_zeros(())
    taught = [place for place, row in enumerate(rows) if row.id in teacher]
    opinions = torch.tensor([teacher[rows[place].id] for place in taught])
    for task, places in columns(recipe.heads).items():
        log = logits[:, places].log_softmax(-1)
        if taught:
            soft = opinions[:, places]
            total = total - recipe.teacher_weight * (soft * log[taught]).sum()
        own = [place for place, row in enumerate(rows) if row.task == task]
        if own:
            total = total + _label_loss(log[own], [rows[place] for place in own], teacher, recipe)
    return total / len(rows)


def _label_loss(
    log: torch.Tensor, rows: Sequence[Row], teacher: dict[str, list[float]], recipe: Recipe
) -> torch.Tensor:
    count = log.shape[1]
    wanted = nn.functional.one_hot(torch.tensor([row.label for row in rows]), count).float()
    wanted = wanted * (1 - recipe.label_smoothing) + recipe.label_smoothing / count
    shares = [1 - recipe.teacher_weight if row.id in teacher else 1.0 for row in rows]
    weights = torch.tensor([row.weight for row in rows]) * torch.tensor(shares)
    return -((wanted * log).sum(-1) * weights).sum()


def _save_checkpoint(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: list[torch.Tensor],
    step: int,
) -> None:
    # Written beside and moved over: a run killed while saving keeps the checkpoint before.
    beside = path.with_suffix(".new")
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": average,
        "step": step,
    }
    torch.save(state, beside)
    beside.replace(path)
