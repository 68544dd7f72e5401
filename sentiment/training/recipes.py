"""What is trained on what, for how long: the only place with these numbers.

Shares are of the rows drawn, not of the files: a small file is seen more often than a large one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run. Everything that changes its result is in here or in the data."""

    name: str
    #: Folder of the weights to start from, below the work folder.
    base: str
    shares: dict[str, float]
    steps: int
    learning_rate: float
    batch: int = 32
    max_tokens: int = 64
    warm_up: float = 0.06
    label_smoothing: float = 0.05
    weight_decay: float = 0.01
    dropout: float = 0.0
    #: Lowest layers that are not trained, besides the embeddings.
    frozen_layers: int = 0
    train_embeddings: bool = False
    #: Weight of the teacher's probabilities against the label; 0 is a plain fine-tune.
    teacher_weight: float = 0.0
    #: Decay of the moving average of the weights that is kept as the result; 0 keeps the last.
    average_decay: float = 0.0
    seed: int = 17


#: English: messages first, then judgements toward a target.
ENGLISH = {
    "tweets_train": 0.44,
    "posts_train": 0.20,
    "toward_topic_train": 0.14,
    "toward_dish_train": 0.11,
    "toward_person_train": 0.04,
    "toward_news_train": 0.03,
    "toward_restaurant_train": 0.025,
    "toward_laptop_train": 0.015,
}

#: As above, with the made-up messages to customer care.
ENGLISH_AND_CARE = ENGLISH | {"made_up_care": 0.05}

#: The languages of the multilingual model; enough English that it learns the task itself.
MULTILINGUAL = {
    "multilingual_train": 0.60,
    "tweets_train": 0.20,
    "toward_topic_train": 0.10,
    "posts_train": 0.05,
    "toward_dish_train": 0.05,
}


@dataclass(frozen=True, slots=True)
class Shipped:
    """A model folder made from the weights of a recipe."""

    name: str
    recipe: str
    version: str
    languages: tuple[str, ...]
    #: Whether it learnt to judge toward a target well enough to be asked to.
    toward: bool = True
    #: Whether its numbers are rounded in small blocks, each with a scale of its own.
    by_blocks: bool = False


#: `en` and `multi` are bundled. `accurate` is the teacher itself, slower and too large for that.
SHIPPED = {
    shipped.name: shipped
    for shipped in (
        Shipped("en", recipe="english", version="1", languages=("en",)),
        Shipped(
            "multi",
            recipe="multi",
            version="1",
            languages=("ar", "de", "en", "es", "fr", "hi", "it", "pt"),
            toward=False,
        ),
        Shipped("accurate", recipe="teacher", version="1", languages=("en",), by_blocks=True),
    )
}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="teacher",
            base="mpnet",
            shares=ENGLISH,
            steps=880,
            learning_rate=4e-5,
            frozen_layers=2,
            max_tokens=56,
        ),
        Recipe(
            name="plain",
            base="minilm",
            shares=ENGLISH,
            steps=2400,
            learning_rate=2e-4,
            average_decay=0.99,
        ),
        Recipe(
            name="english",
            base="plain",
            shares=ENGLISH_AND_CARE,
            steps=1100,
            learning_rate=1.2e-4,
            average_decay=0.99,
            seed=18,
        ),
        Recipe(
            name="distilled",
            base="english",
            shares=ENGLISH_AND_CARE,
            steps=1500,
            learning_rate=1e-4,
            teacher_weight=0.7,
            average_decay=0.99,
            seed=20,
        ),
        Recipe(
            name="multi",
            base="e5",
            shares=MULTILINGUAL,
            steps=780,
            learning_rate=1.5e-4,
            average_decay=0.99,
            seed=19,
        ),
    )
}
