"""What linking needs of the settings: hash key, home country, rules, weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.settings import Settings, read_settings
from crm_link.linking.keys import hash_value, normalise_country
from crm_link.linking.places import RegionBook, region_book
from crm_link.linking.weights import Weights, load_weights, shipped_weights
from crm_link.policy import PolicyTable, read_table, shipped_table


class LinkSettings(BaseSettings):
    """Settings of linking authors to contacts."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_LINK_", extra="ignore", frozen=True)

    country: str = Field(
        default="",
        description="Country, as an ISO code, whose national phone numbers are understood "
        "where a contact says no country; empty means international numbers only.",
    )

    policy: Path | None = Field(
        default=None,
        description="YAML file with the platforms' rules in place of the shipped ones.",
    )
    weights: Path | None = Field(
        default=None, description="Weights that `groundswell link train` wrote."
    )
    prior: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="Share of the authors that are expected to be a contact; lower makes fewer "
        "suggestions.",
    )

    @field_validator("country")
    @classmethod
    def _known(cls, value: str) -> str:
        if not value.strip():
            return ""
        code = normalise_country(value)
        if code is None:
            msg = f"'{value}' is no country; give an ISO 3166 code such as DE or US"
            raise ValueError(msg)
        return code


@dataclass(frozen=True, slots=True)
class LinkContext:
    """The key under which evidence is hashed, the home country, the rules and the weights.

    A changed key makes every stored hash another one: links stay, but what a person
    withdrew is then suggested once more.

    Args:
        secret_key: The key of the hashes.
        country: ISO 3166 code of the home country.
        table: The platforms' rules; None is the shipped table.
        weights: The model; None is the shipped one.
        prior: Share of authors that are expected to be a contact; None is the model's.

    """

    secret_key: str = ""
    country: str | None = None
    table: PolicyTable | None = None
    weights: Weights | None = None
    prior: float | None = None

    def hash_value(self, kind: str, value: str) -> str:
        """Return the keyed hash of a value."""
        return hash_value(self.secret_key, kind, value)

    @property
    def book(self) -> RegionBook:
        """The regions of the home country."""
        return region_book(self.country)

    @property
    def model(self) -> Weights:
        """The weights with the prior that is expected here."""
        return _with_prior(self.weights or shipped_weights(), self.prior)


def _with_prior(weights: Weights, prior: float | None) -> Weights:
    return weights if prior is None else weights.model_copy(update={"prior": prior})


def load_context() -> LinkContext:
    """Return the context that the environment's settings give.

    Raises:
        InputError: A file that they name cannot be read.

    """
    settings = read_settings(Settings)
    own = read_settings(LinkSettings)
    return LinkContext(
        settings.secret_key.get_secret_value(),
        own.country or None,
        read_table(own.policy) if own.policy else None,
        load_weights(own.weights) if own.weights else None,
        own.prior,
    )


def policy_in_force() -> PolicyTable:
    """Return the platforms' rules that the settings name, or the shipped ones.

    Raises:
        InputError: The file that they name cannot be read.

    """
    path = read_settings(LinkSettings).policy
    if path is None:
        return shipped_table()
    return _read_once(path, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=4)
def _read_once(path: Path, changed_ns: int) -> PolicyTable:
    del changed_ns  # a file that changed is read again
    return read_table(path)
