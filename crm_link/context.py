"""What linking needs of the settings: the key of its hashes and the home country."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.settings import Settings, read_settings
from crm_link.keys import hash_value, normalise_country


class LinkSettings(BaseSettings):
    """Settings of linking authors to contacts."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_LINK_", extra="ignore", frozen=True)

    country: str = Field(
        default="",
        description="Country, as an ISO code, whose national phone numbers are understood "
        "where a contact says no country; empty means international numbers only.",
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
    """The key under which evidence is hashed, and the home country.

    A changed key makes every stored hash another one: links stay, but what a person
    withdrew is then suggested once more.
    """

    secret_key: str = ""
    country: str | None = None

    def hash_value(self, kind: str, value: str) -> str:
        """Return the keyed hash of a value."""
        return hash_value(self.secret_key, kind, value)


def load_context() -> LinkContext:
    """Return the context that the environment's settings give."""
    settings = read_settings(Settings)
    country = read_settings(LinkSettings).country or None
    return LinkContext(settings.secret_key.get_secret_value(), country)
