"""Any text-classification model of the `transformers` library, by name or by path.

`GROUNDSWELL_SCORER=transformers:NAME_OR_PATH[@REVISION]`. A name is looked up on the model
hub and in its cache; with HF_HUB_OFFLINE set, in the cache only. What runs it: an ONNX file
beside the weights (`model.onnx` or `onnx/model.onnx`) with onnxruntime, else torch. All files
come from one commit, which is part of the version that each judgement carries.

Limits: the text is judged as a whole unless GROUNDSWELL_TRANSFORMERS_TARGETS=pair says that
the model takes the target as a second text. A model does not say which languages it reads:
name them in GROUNDSWELL_TRANSFORMERS_LANGUAGES, or it is asked about every text. Code that
a model brings along is never run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError
from config.settings import read_settings
from sentiment.language import UNDETERMINED, find_language
from sentiment.model_files import ONNX_FILES, ModelFiles, name_and_revision
from sentiment.model_labels import polarities
from sentiment.scorer import Scorer
from sentiment.types import Label, ScorableText, Sentiment, unknown

#: Raise it when the same model may judge the same text differently than before.
REVISION = 1

#: Characters of a text that are looked at; far more than the tokens that a model takes.
MAX_CHARS = 8000

_LABELS: Final = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_HANDLE = re.compile(r"(?<![\w@])@\w+")

Floats = NDArray[np.float64]


class TransformersSettings(BaseSettings):
    """How a model is run."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_TRANSFORMERS_", extra="ignore")

    backend: Literal["auto", "onnx", "torch"] = Field(
        default="auto", description="auto takes the ONNX file where there is one."
    )
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:N.")
    batch: int = Field(default=16, ge=1, description="Texts in one run, sorted by length.")
    max_tokens: int = Field(default=128, ge=8, description="Tokens of a text that are read.")
    threads: int = Field(default=0, ge=0, description="Threads of a run; 0 is one per core.")
    targets: Literal["ignore", "pair"] = Field(
        default="ignore", description="pair: the model takes (text, target)."
    )
    languages: str = Field(
        default="", description="ISO 639-1 codes, with commas, that the model reads; empty: all."
    )


class _Backend(Protocol):
    def __call__(self, encoded: dict[str, NDArray[np.int64]]) -> Floats:
        """Return the logits, one row for each text."""


class TransformersScorer(Scorer):
    """Judges texts with a text-classification model."""

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument)
        self._settings = read_settings(TransformersSettings)
        model = ModelFiles(*name_and_revision(argument))
        config = model.config()
        self._polarities = polarities(config.id2label, model.name)
        if config.problem_type == "multi_label_classification":
            raise InputError(
                f"the model {model.name} gives several labels to one text "
                "(problem_type multi_label_classification): choose one that gives one"
            )
        self._tokenizer = model.tokenizer()
        self._max_tokens = min(self._settings.max_tokens, self._tokenizer.model_max_length)
        self._run, kind = _make_backend(model, self._settings)
        self._version = f"transformers/{model.short_name()}@{model.fingerprint(kind)}/{REVISION}"
        codes = self._settings.languages.lower().replace(",", " ").split()
        self._languages = frozenset(codes)

    @property
    def version(self) -> str:
        """The model's name, its commit or the hash of its files, and ours."""
        return self._version

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        """Return one judgement for each text, in order."""
        langs = [find_language(text.text, text.lang, text.targets).code for text in texts]
        cleaned = [_clean(text.text) for text in texts]
        found = [unknown(lang, self._version) for lang in langs]
        places = [place for place, text in enumerate(cleaned) if text and self._reads(langs[place])]
        asked = [(cleaned[place], _target(texts[place])) for place in places]
        for place, chances in zip(places, self._probabilities(asked), strict=True):
            found[place] = _sentiment(chances, langs[place], self._version)
        return found

    def _reads(self, lang: str) -> bool:
        return not self._languages or lang in self._languages or lang == UNDETERMINED

    def _probabilities(self, asked: Sequence[tuple[str, str]]) -> Floats:
        """Return negative, neutral and positive probability for each (text, target)."""
        result = np.zeros((len(asked), len(_LABELS)))
        if not asked:
            return result
        texts = [text for text, _ in asked]
        targets = [target for _, target in asked] if self._settings.targets == "pair" else None
        encoded = self._tokenizer(
            texts, targets, truncation="longest_first", max_length=self._max_tokens
        )
        lengths = [len(ids) for ids in encoded["input_ids"]]
        order = sorted(range(len(asked)), key=lengths.__getitem__)
        for start in range(0, len(order), self._settings.batch):
            rows = order[start : start + self._settings.batch]
            padded = self._tokenizer.pad(
                {name: [encoded[name][row] for row in rows] for name in encoded},
                return_tensors="np",
            )
            logits = self._run({name: array.astype(np.int64) for name, array in padded.items()})
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            chances = powers / powers.sum(axis=1, keepdims=True)
            for number, label in enumerate(_LABELS):
                columns = [place for place, one in enumerate(self._polarities) if one is label]
                result[rows, number] = chances[:, columns].sum(axis=1)
        return result


def _make_backend(model: ModelFiles, settings: TransformersSettings) -> tuple[_Backend, str]:
    """Return what runs the model, and its name."""
    wants_gpu = settings.device.startswith("cuda")
    path = None
    if settings.backend == "onnx" or (settings.backend == "auto" and not wants_gpu):
        path = model.onnx_file()
    if path is not None:
        return _onnx(path, settings), "onnx"
    if settings.backend == "onnx":
        raise InputError(
            f"the model {model.name} has no {' or '.join(ONNX_FILES)}: leave "
            "GROUNDSWELL_TRANSFORMERS_BACKEND away, or export it (optimum-cli export onnx)"
        )
    return _torch(model, settings), "torch"


def _onnx(path: Path, settings: TransformersSettings) -> _Backend:
    import onnxruntime  # noqa: PLC0415 - only where it is used

    from sentiment.onnx_session import session_options  # noqa: PLC0415 - imports onnxruntime

    options = session_options(settings.threads)
    providers = ["CPUExecutionProvider"]
    if settings.device.startswith("cuda"):
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise InputError(
                f"GROUNDSWELL_TRANSFORMERS_DEVICE is {settings.device}, but this onnxruntime "
                "has no CUDA: pip install onnxruntime-gpu, or use cpu"
            )
        number = settings.device.partition(":")[2] or "0"
        providers.insert(0, "CUDAExecutionProvider")
        session = onnxruntime.InferenceSession(
            path, options, providers=[(providers[0], {"device_id": number}), providers[1]]
        )
    else:
        session = onnxruntime.InferenceSession(path, options, providers=providers)
    inputs = {found.name for found in session.get_inputs()}

    def run(encoded: dict[str, NDArray[np.int64]]) -> Floats:
        fed = {name: array for name, array in encoded.items() if name in inputs}
        logits: Floats = session.run(None, fed)[0].astype(np.float64)
        return logits

    return run


def _torch(model: ModelFiles, settings: TransformersSettings) -> _Backend:
    try:
        import torch  # noqa: PLC0415 - an extra, and takes seconds to import
    except ModuleNotFoundError as error:
        raise InputError(
            f"the model {model.name} has no ONNX file, and torch is not installed: "
            "pip install 'groundswell[torch]', or put a model.onnx beside its config.json"
        ) from error
    from transformers import AutoModelForSequenceClassification  # noqa: PLC0415 - needs torch

    has_gpu = torch.cuda.is_available()
    device = ("cuda" if has_gpu else "cpu") if settings.device == "auto" else settings.device
    if device.startswith("cuda") and not has_gpu:
        raise InputError(
            f"GROUNDSWELL_TRANSFORMERS_DEVICE is {device}, but torch finds no GPU: use cpu"
        )
    if settings.threads:
        torch.set_num_threads(settings.threads)
    try:
        loaded = AutoModelForSequenceClassification.from_pretrained(
            model.name,
            dtype=torch.float16 if device.startswith("cuda") else torch.float32,
            **model.where(),
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"the weights of the model {model.name} cannot be loaded: model.safetensors is "
            "missing or broken, or it is no text-classification model"
        ) from error
    network = loaded.to(device).eval()

    def run(encoded: dict[str, NDArray[np.int64]]) -> Floats:
        with torch.inference_mode():
            fed = {name: torch.from_numpy(array).to(device) for name, array in encoded.items()}
            logits: Floats = network(**fed).logits.double().cpu().numpy()
            return logits

    return run


def _clean(text: str) -> str:
    """Return the text as tweet models were trained on it: "@user" and "http", nothing else."""
    readable = unescape(text[:MAX_CHARS])
    if not _HANDLE.sub("", _LINK.sub("", readable)).strip():
        return ""
    return " ".join(_HANDLE.sub("@user", _LINK.sub("http", readable)).split())


def _target(text: ScorableText) -> str:
    """Return the name of the target that the text uses, else the first one."""
    names = [name.lstrip("@#") for name in text.targets if name.lstrip("@#")]
    spoken = text.text.casefold()
    return next((name for name in names if name.casefold() in spoken), (names or [""])[0])


def _sentiment(chances: Floats, lang: str, version: str) -> Sentiment:
    negative, neutral, positive = (round(float(chance), 4) for chance in chances)
    best = int(chances.argmax())
    return Sentiment(
        label=_LABELS[best],
        score=round(positive - negative, 4),
        p_negative=negative,
        p_neutral=neutral,
        p_positive=positive,
        confidence=(negative, neutral, positive)[best],
        lang=lang,
        scorer=version,
    )
