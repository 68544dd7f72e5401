"""What proves where replies come from; a way whose secret is not set takes none."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.settings import read_settings


class RepliesSettings(BaseSettings):
    """What proves that a reply is from whom it says."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_REPLIES_", extra="ignore", frozen=True
    )

    slack_secret: SecretStr = Field(
        default=SecretStr(""), description="Signing secret of your Slack app."
    )
    twilio_token: SecretStr = Field(
        default=SecretStr(""), description="Auth token of your Twilio account, for SMS replies."
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret with which your own systems sign replies; at least 16 characters.",
    )


def replies_by_sms() -> bool:
    """Say whether SMS that people write back are taken."""
    return bool(read_settings(RepliesSettings).twilio_token.get_secret_value())
