"""The accounts that reply, as the environment names them, on the fake networks."""

from __future__ import annotations

import pytest

from tests.networks import Networks


def account_settings(x_url: str, reddit_url: str, account: str = "") -> dict[str, str]:
    """Return the settings of both accounts by the names of their variables."""
    values = {
        "X": {
            "API_KEY": "k",
            "API_SECRET": "s",
            "ACCESS_TOKEN": "t",
            "ACCESS_TOKEN_SECRET": "ts",
            "BASE_URL": x_url,
            "TIMEOUT_S": "1",
        },
        "REDDIT": {
            "CLIENT_ID": "id",
            "CLIENT_SECRET": "secret",
            "USERNAME": "nordlicht_team",
            "PASSWORD": "p",
            "BASE_URL": reddit_url,
            "TIMEOUT_S": "1",
        },
    }
    return {
        f"GROUNDSWELL_{name}_{account}{key}": value
        for name, settings in values.items()
        for key, value in settings.items()
    }


def set_up_accounts(networks: Networks, monkeypatch: pytest.MonkeyPatch, account: str = "") -> None:
    for name, value in account_settings(networks.x_url, networks.reddit_url, account).items():
        monkeypatch.setenv(name, value)
