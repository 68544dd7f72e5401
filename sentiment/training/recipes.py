"""What is trained on what, for how long: the only place with these numbers.

Shares are of the rows drawn, not of the files: a small file is seen more often than a large one.
"""

from dataclasses import dataclass

from sentiment.training.tasks import HEADS


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
    #: Heads that are trained beside the polarity.
    heads: tuple[str, ...] = ()
    #: Lowest layers that are not trained, besides the embeddings.
    frozen_layers: int = 0
    train_embeddings: bool = False
    #: The models whose mean probabilities it learns from, none for a plain fine-tune; their
    #: weight against the label; for the rows of how many steps they are made; and the share of
    #: the draws that is from rows that have them.
    teachers: tuple[str, ...] = ()
    teacher_weight: float = 0.0
    labelled_steps: int = 0
    judged_share: float = 0.6
    #: Decay of the moving average of the weights that is kept as the result; 0 keeps the last.
    average_decay: float = 0.0
    seed: int = 17


#: What version 1 of the English model learnt.
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

#: What the teacher learns: mostly tweets, and heads enough to teach them on.
TEACHER = {
    "tweets_train": 0.50,
    "posts_train": 0.11,
    "toward_topic_train": 0.13,
    "toward_dish_train": 0.07,
    "toward_person_train": 0.02,
    "toward_news_train": 0.015,
    "toward_restaurant_train": 0.015,
    "toward_laptop_train": 0.01,
    "made_up_care": 0.025,
    "emotion_train": 0.035,
    "irony_train": 0.03,
    "offensive_train": 0.04,
}

#: The English model's heads beside its polarity, for a start that has learnt the polarity:
#: its heads still have the way to go.
ENGLISH_AND_MORE_HEADS = {
    "tweets_train": 0.33,
    "posts_train": 0.12,
    "toward_topic_train": 0.06,
    "toward_dish_train": 0.08,
    "toward_person_train": 0.02,
    "toward_news_train": 0.02,
    "toward_restaurant_train": 0.01,
    "toward_laptop_train": 0.01,
    "made_up_care": 0.04,
    "emotion_train": 0.11,
    "irony_train": 0.10,
    "offensive_train": 0.10,
}

#: The rare heads, once more and more often: in the shares above they learn too slowly.
ENGLISH_AND_MOST_HEADS = ENGLISH_AND_MORE_HEADS | {
    "emotion_train": 0.24,
    "irony_train": 0.17,
    "offensive_train": 0.12,
}

#: The languages of the multilingual model; enough English that it learns the task itself.
MULTILINGUAL = {
    "multilingual_train": 0.60,
    "tweets_train": 0.25,
    "posts_train": 0.10,
    "toward_topic_train": 0.05,
}


#: The same for a model that has learnt the task: the languages once more.
MORE_LANGUAGES = MULTILINGUAL | {"multilingual_train": 1.2}


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
        Shipped("en", recipe="distilled", version="4.1", languages=("en",)),
        Shipped(
            "multi",
            recipe="multi",
            version="3.1",
            languages=("ar", "de", "en", "es", "fr", "hi", "it", "pt"),
            toward=False,
        ),
        Shipped("accurate", recipe="teacher", version="3.1", languages=("en",), by_blocks=True),
    )
}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="teacher",
            base="mpnet",
            shares=TEACHER,
            heads=HEADS,
            steps=1000,
            learning_rate=5e-5,
            frozen_layers=2,
            average_decay=0.98,
            seed=21,
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
            name="en_1",
            base="plain",
            shares=ENGLISH | {"made_up_care": 0.05},
            steps=1100,
            learning_rate=1.2e-4,
            average_decay=0.99,
            seed=18,
        ),
        Recipe(
            name="english_start",
            base="en_1",
            shares=ENGLISH_AND_MORE_HEADS,
            heads=HEADS,
            steps=450,
            learning_rate=1e-4,
            dropout=0.1,
            train_embeddings=True,
            average_decay=0.99,
            seed=31,
        ),
        Recipe(
            name="english_heads",
            base="english_start",
            shares=ENGLISH_AND_MOST_HEADS,
            heads=HEADS,
            steps=1200,
            learning_rate=1.5e-4,
            dropout=0.1,
            train_embeddings=True,
            average_decay=0.98,
            warm_up=0.03,
            seed=32,
        ),
        Recipe(
            name="distilled",
            base="english",
            shares=TEACHER,
            heads=HEADS,
            steps=1600,
            learning_rate=1.2e-4,
            train_embeddings=True,
            teachers=("teacher", "english"),
            teacher_weight=0.7,
            labelled_steps=800,
            average_decay=0.99,
            seed=51,
        ),
        Recipe(
            name="multi_1",
            base="e5",
            shares=MULTILINGUAL,
            steps=780,
            learning_rate=1.5e-4,
            average_decay=0.99,
            seed=19,
        ),
        Recipe(
            name="multi_2",
            base="multi_1",
            shares=MULTILINGUAL,
            steps=900,
            learning_rate=1e-4,
            train_embeddings=True,
            average_decay=0.99,
            seed=41,
        ),
        Recipe(
            name="multi",
            base="multi_2",
            shares=MORE_LANGUAGES,
            steps=500,
            learning_rate=8e-5,
            train_embeddings=True,
            average_decay=0.99,
            seed=43,
        ),
    )
}

#: Models that are the mean of several recipes' weights, all from the same start. The English
#: one takes the polarity of `en_1`, which `english_heads` has partly unlearnt: their mean is
#: better than either on all polarity sets.
AVERAGES = {"english": ("english_heads", "en_1")}

#: Averages of parts of which one has no heads: theirs are fitted anew.
REFITTED = frozenset({"english"})

#: The bundled model that a recipe's result can be restored from, where its weights are lost.
RESTORABLE = {"english": "en", "multi_2": "multi"}


def recipe_of(name: str) -> Recipe:
    """Return the recipe of a model, the first where it is an average of several."""
    return RECIPES[AVERAGES.get(name, (name,))[0]]
