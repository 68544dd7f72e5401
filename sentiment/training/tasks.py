"""What the model is asked about a text: its outputs, head by head, in their order."""

from sentiment.heads import EMOTIONS

SENTIMENT = "sentiment"

#: Labels of each head as the files spell them, in the order of the outputs.
TASKS: dict[str, tuple[str, ...]] = {
    SENTIMENT: ("negative", "neutral", "positive"),
    "emotion": EMOTIONS,
    "irony": ("non_irony", "irony"),
    "offensive": ("not-offensive", "offensive"),
}

#: The heads beside the polarity.
HEADS = tuple(task for task in TASKS if task != SENTIMENT)


def task_of(name: str) -> str:
    """Return the head that the file `name` teaches: "irony_train" teaches irony."""
    start = name.partition("_")[0]
    return start if start in TASKS else SENTIMENT


def columns(heads: tuple[str, ...]) -> dict[str, slice]:
    """Return where each head's outputs stand; the polarity is always first."""
    found, start = {}, 0
    for task in (SENTIMENT, *heads):
        found[task] = slice(start, start := start + len(TASKS[task]))
    return found


def output_labels(heads: tuple[str, ...]) -> list[str]:
    """Return the name of each output: the polarity's plain, a head's with the head before it."""
    return [
        label if task == SENTIMENT else f"{task}:{label}"
        for task in (SENTIMENT, *heads)
        for label in TASKS[task]
    ]
