"""How Reddit is signed in to, for the collector and the replier."""

from __future__ import annotations

from typing import Any

import praw
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError
from config.phrases import phrase
from listener.reddit_api.session import RedditSession


class RedditSettings(BaseSettings):
    """How Reddit is reached."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_REDDIT_", extra="ignore", frozen=True)

    client_id: str = Field(min_length=1, description="Id of your approved Reddit app.")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret of the app; empty for an installed app."
    )
    username: str = Field(default="", description="Account that is signed in, for the inbox.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of that account.")
    refresh_token: SecretStr = Field(
        default=SecretStr(""), description="Token of that account, instead of a password."
    )
    user_agent: str = Field(
        default="groundswell (self-hosted social listening)",
        min_length=7,
        description="How requests name themselves; Reddit wants your account's name in it.",
    )
    base_url: str = Field(
        default="https://www.reddit.com", description="Address of Reddit, for signing in."
    )
    oauth_url: str = Field(
        default="",
        description="Address of Reddit's API. Empty means https://oauth.reddit.com, or the "
        "base address where that was changed.",
    )
    timeout_s: float = Field(
        default=15.0, gt=0, description="Seconds without an answer after which a call is given up."
    )
    overlap_s: float = Field(
        default=120.0,
        ge=0,
        description="Seconds before the newest known thing that are read again, for late ones.",
    )

    def api_url(self) -> str:
        """Return the address of the API."""
        own = "https://oauth.reddit.com" if self.base_url == "https://www.reddit.com" else ""
        return (self.oauth_url or own or self.base_url).rstrip("/")


def sign_in(settings: RedditSettings, session: RedditSession) -> praw.Reddit:
    """Return PRAW with the settings' app and account; it asks nothing yet."""
    account: dict[str, Any] = {}
    if settings.username:
        account = {"username": settings.username, "password": settings.password.get_secret_value()}
    if token := settings.refresh_token.get_secret_value():
        account = {"refresh_token": token}
    return praw.Reddit(
        requestor_kwargs={"session": session},
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value() or None,
        user_agent=settings.user_agent,
        reddit_url=settings.base_url.rstrip("/"),
        oauth_url=settings.api_url(),
        check_for_updates=False,
        check_for_async=False,
        ratelimit_seconds=-1,  # PRAW would sleep and post again
        **account,
    )


def require_account(settings: RedditSettings, what: str) -> None:
    """Refuse settings that name no account.

    Raises:
        InputError: They name none; the message says for what it is needed.

    """
    if settings.refresh_token.get_secret_value():
        return
    if not (settings.username and settings.password.get_secret_value()):
        msg = phrase(
            "%(what)s needs an account: set GROUNDSWELL_REDDIT_USERNAME and "
            "GROUNDSWELL_REDDIT_PASSWORD, or GROUNDSWELL_REDDIT_REFRESH_TOKEN",
            what=what,
        )
        raise InputError(msg)
