"""Settings that all packages share, from the environment or a `.env` file.

A plugin keeps its own settings in its own module (`GROUNDSWELL_X_...`,
`GROUNDSWELL_REDDIT_...`). A secret may be given as a file: `GROUNDSWELL_SECRET_KEY_FILE`
names a file that holds the value of `GROUNDSWELL_SECRET_KEY`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeVar

from dotenv import load_dotenv
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from config.errors import InputError

PREFIX = "GROUNDSWELL_"

#: Characters that the secret key has at least.
MIN_SECRET = 32

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class Settings(BaseSettings):
    """What every process of Groundswell needs to know."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    home: Path = Field(
        default=Path(),
        description="Folder of brands.yaml, protocol.yaml, .env and the embedded database.",
    )
    database_url: str = Field(
        default="",
        description="Database address; empty means SQLite in the home folder (groundswell.db).",
    )
    brands_file: str = Field(
        default="brands.yaml", description="Brands and sources, relative to the home folder."
    )
    scorer: str = Field(
        default="onnx",
        description="Sentiment scorer: the name of a plugin, with what it needs after a colon.",
    )
    fast_scorer: str = Field(
        default="vader",
        description="Scorer whose judgement holds until the other one comes to a mention; empty "
        "lets new mentions wait for it.",
    )
    scoring_processes: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Processes that run the scorer; 1 is the worker's own. Each holds the model.",
    )
    crm: str = Field(
        default="csv_file",
        description="CRMs that contacts come from and enrichment goes to, separated by commas, "
        "each as PLUGIN or PLUGIN:ACCOUNT; the first is the one that opens a person's cases. "
        "Empty means none.",
    )
    crm_scores: str = Field(
        default="",
        description="Scores that are written into CRM records, separated by commas: lead, churn, "
        "segment. Empty writes none.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the console listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port of the console.")
    public_url: str = Field(
        default="",
        description="Address of the console as people reach it; used in alerts. "
        "Empty means http://HOST:PORT.",
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key that signs sessions and hashes what links rest on; at least 32 "
        "characters. `groundswell init` writes one.",
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str = Field(default="text", description="text or json.")
    posts_replies: bool = Field(
        default=True,
        description="Whether approved replies are posted; false only shows them as they would go.",
    )
    tick_s: float = Field(
        default=1.0, gt=0, description="Seconds between two looks for work, in each step."
    )
    raw_retention_days: int = Field(
        default=30, ge=0, description="Days that the platforms' raw answers are kept; 0 keeps none."
    )

    @property
    def keeps_raw(self) -> bool:
        """Whether the platforms' raw answers are kept at all."""
        return self.raw_retention_days > 0

    def resolved_database_url(self) -> str:
        """Return the database address, with the embedded default in the home folder."""
        return self.database_url or f"sqlite:///{(self.home / 'groundswell.db').resolve()}"

    def resolved_public_url(self) -> str:
        """Return the console's address without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def brands_path(self) -> Path:
        """Return the path of the brands file."""
        return self.home / self.brands_file


def load_environment(home: Path | None = None) -> None:
    """Read `.env` in the home folder and secrets given as files into the environment.

    The environment wins over `.env`.

    Raises:
        InputError: A `..._FILE` setting names a file that cannot be read.

    """
    folder = home or Path(os.environ.get(f"{PREFIX}HOME", "."))
    load_dotenv(folder / ".env", override=False)
    for name, path in list(os.environ.items()):
        if not (name.startswith(PREFIX) and name.endswith("_FILE")) or name in _FILE_NAMES:
            continue
        try:
            os.environ[name.removesuffix("_FILE")] = Path(path).read_text("utf-8").strip()
        except OSError as error:
            msg = f"{name} names {path}, which cannot be read: {error.strerror}"
            raise InputError(msg) from error


#: Settings that end in _FILE and are file names themselves.
_FILE_NAMES = {f"{PREFIX}BRANDS_FILE"}


def load_settings() -> Settings:
    """Return the settings.

    Raises:
        InputError: A setting has a value that it cannot have; the message names each one.

    """
    load_environment()
    return read_settings(Settings)


def settings_prefix(kind: type[BaseSettings], account: str = "") -> str:
    """Return what the names of a plugin's settings begin with, those of one account if given."""
    prefix = kind.model_config.get("env_prefix", "")
    return f"{prefix}{account}_".upper() if account else prefix


#: Where the library's message names the field whose value is no JSON.
_FIELD_NAMED = re.compile(r'field "(\w+)"')


def read_settings(kind: type[SettingsT], account: str = "") -> SettingsT:
    """Return an instance of the settings class `kind`, read from the environment.

    Args:
        kind: The class.
        account: One of several accounts of a plugin: its settings have its name in theirs
            (GROUNDSWELL_HUBSPOT_EMEA_TOKEN), and nothing is taken from another one's.

    Raises:
        InputError: A setting is missing or has a value that it cannot have.

    """
    prefix = settings_prefix(kind, account)
    try:
        return kind(_env_prefix=prefix)
    except ValidationError as error:
        lines = [
            f"{prefix}{'_'.join(str(part) for part in problem['loc'])}".upper()
            + f": {problem['msg']}"
            for problem in error.errors()
        ]
        raise InputError("settings: " + "; ".join(lines)) from error
    except SettingsError as error:
        # The library names the field; its value may be a secret, and is not said.
        cause = error.__cause__
        where = f" ({cause})" if isinstance(cause, ValueError) else ""
        name = _FIELD_NAMED.search(str(error))
        setting = f"{prefix}{name[1]}".upper() if name else prefix
        raise InputError(f"settings: {setting}: is no JSON{where}") from error
