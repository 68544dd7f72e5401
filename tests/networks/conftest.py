"""One server for a module's tests, and the clients that we really use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import praw
import pytest
import tweepy
from requests.adapters import HTTPAdapter

from tests.networks import Networks, running_networks

if TYPE_CHECKING:
    from collections.abc import Iterator


class Redirect(HTTPAdapter):
    """Sends what tweepy means for X to the fake."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
        request.url = request.url.replace("https://api.twitter.com", self._base)
        options["timeout"] = (5, 2)
        return super().send(request, **options)


@pytest.fixture(scope="module")
def server() -> Iterator[Networks]:
    with running_networks() as networks:
        yield networks


@pytest.fixture
def networks(server: Networks) -> Networks:
    server.control.reset()
    return server


@pytest.fixture
def x(networks: Networks) -> Iterator[tweepy.Client]:
    client = tweepy.Client("token", return_type=dict)
    client.session.mount("https://api.twitter.com", Redirect(networks.x_url))
    yield client
    client.session.close()


@pytest.fixture
def reddit(networks: Networks) -> Iterator[praw.Reddit]:
    client = praw.Reddit(
        client_id="id",
        client_secret="secret",
        user_agent="tests",
        oauth_url=networks.reddit_url,
        reddit_url=networks.reddit_url,
        check_for_updates=False,
    )
    yield client
    client._core.close()  # type: ignore[attr-defined]
