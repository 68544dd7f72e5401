"""Where the files of a `transformers` model are: a folder, or a name on the model hub."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Final

from config.errors import InputError

#: Where a model's ONNX file may be, the first one found is taken.
ONNX_FILES: Final = ("model.onnx", "onnx/model.onnx")
WEIGHTS: Final = ("model.safetensors", "pytorch_model.bin", *ONNX_FILES)

_LONGEST_NAME = 60


class ModelFiles:
    """The files of one model; all of one commit."""

    def __init__(self, name: str, revision: str | None) -> None:
        self.name = name
        self._revision = revision
        self._is_folder = Path(name).is_dir()
        self._offline = self._is_folder or any(
            os.environ.get(variable, "").strip().upper() in {"1", "ON", "YES", "TRUE"}
            for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
        )
        if not self._is_folder and name.startswith((".", "/", "~")):
            raise InputError(f"there is no model folder {name}; see GROUNDSWELL_SCORER")

    def config(self) -> Any:  # noqa: ANN401 - transformers leaves it untyped
        """Return the model's config, and hold on to the commit that it is of."""
        from transformers import AutoConfig  # noqa: PLC0415 - takes a second to import

        try:
            config = AutoConfig.from_pretrained(self.name, **self.where())
        except (OSError, ValueError) as error:
            raise InputError(self._not_there()) from error
        self._hold_commit()
        return config

    def _hold_commit(self) -> None:
        """Take all further files from the commit of the config: a branch may move meanwhile."""
        path = self.file("config.json")
        if path is not None and path.parent.parent.name == "snapshots":
            self._revision = path.parent.name

    def tokenizer(self) -> Any:  # noqa: ANN401 - transformers leaves it untyped
        """Return the model's tokenizer."""
        from transformers import AutoTokenizer  # noqa: PLC0415 - takes a second to import

        # It advises against padding batches of sorted texts, which is what is wanted here.
        os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
        try:
            return AutoTokenizer.from_pretrained(self.name, **self.where())
        except (OSError, ValueError, ImportError) as error:
            raise InputError(
                f"the tokenizer of the model {self.name} cannot be loaded: it needs "
                "tokenizer.json beside its config.json, or a package that is not installed"
            ) from error

    def where(self) -> dict[str, Any]:
        """Return the arguments by which transformers finds the files."""
        return {"revision": self._revision or "main", "local_files_only": self._offline}

    def file(self, name: str) -> Path | None:
        """Return where a file of the model is, fetched if need be; None if it has none such."""
        from transformers.utils.hub import cached_file  # noqa: PLC0415 - see above

        found = cached_file(
            self.name, name, _raise_exceptions_for_missing_entries=False, **self.where()
        )
        return Path(found) if found else None

    def onnx_file(self) -> Path | None:
        """Return the model's ONNX file, with its weights beside it where they are apart."""
        for name in ONNX_FILES:
            path = self.file(name)
            if path is not None:
                self.file(f"{name}_data")
                return path
        return None

    def short_name(self) -> str:
        """Return the model's name without the folders above it, fit for a version."""
        name = Path(self.name).resolve().name if self._is_folder else self.name
        return name[-_LONGEST_NAME:]

    def fingerprint(self, kind: str) -> str:
        """Return what changes with the files: a folder's contents, or the hub's commit."""
        if not self._is_folder:
            return f"{(self._revision or 'main')[:10]}-{kind}"
        digest = hashlib.blake2b(kind.encode(), digest_size=5)
        for name in ("config.json", "tokenizer.json", *WEIGHTS):
            path = Path(self.name) / name
            if path.is_file():
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, hashlib.blake2b).digest())
        return digest.hexdigest()

    def _not_there(self) -> str:
        what = f"the model '{self.name}'" + (f" at '{self._revision}'" if self._revision else "")
        if self._is_folder:
            return (
                f"{what} cannot be loaded: its config.json is missing, broken or of no known kind"
            )
        if self._offline:
            return (
                f"{what} is not in this machine's cache, and HF_HUB_OFFLINE keeps it from being "
                f"fetched: run `hf download {self.name}` where there is a network, or give a folder"
            )
        return (
            f"{what} cannot be had from the model hub: check its name and the network, "
            "or give a folder"
        )


def name_and_revision(argument: str) -> tuple[str, str | None]:
    """Return the model and its revision from `NAME_OR_PATH[@REVISION]`.

    Raises:
        InputError: There is no name.

    """
    if not argument:
        raise InputError(
            "the scorer 'transformers' needs a model after the colon: "
            "GROUNDSWELL_SCORER=transformers:NAME_OR_PATH[@REVISION]"
        )
    path = Path(argument).expanduser()
    if path.is_dir():
        return str(path), None
    name, _, revision = argument.partition("@")
    return name, revision or None
