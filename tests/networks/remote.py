"""The control plane from another process: the methods of `Control`, over HTTP."""

from __future__ import annotations

import json
from datetime import datetime
from http.client import HTTPConnection
from inspect import signature
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .control import Control, waited

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT_S = 120.0


class RemoteControl:
    """`RemoteControl(url).add("x", [...])` does what `Control.add` does in that server."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/").removesuffix("/_control")
        self.x_url = self.reddit_url = self.url
        self.feeds_url = f"{self.url}/feeds"
        self.hook_url = f"{self.url}/hook"
        self.control_url = f"{self.url}/_control"

    @property
    def control(self) -> RemoteControl:
        """This; so that a test can use it as it uses `Networks`."""
        return self

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(Control, name, None)
        if name.startswith("_") or method is None:
            raise AttributeError(name)

        def call(*args: Any, **options: Any) -> Any:
            bound = signature(method).bind(self, *args, **options)
            given = dict(bound.arguments)
            given.pop("self")
            for parameter in signature(method).parameters.values():
                if parameter.kind is parameter.VAR_KEYWORD:
                    given |= given.pop(parameter.name, {})
            return self._call(name, given)

        return call

    def wait_for_hooks(
        self, count: int, *, timeout_s: float = 10.0, name: str | None = None
    ) -> list[dict[str, Any]]:
        """Wait here, so that no request is open all the time."""
        return waited(lambda: self.hooks(name), count, timeout_s)

    def _call(self, name: str, given: dict[str, Any]) -> Any:
        address = urlsplit(self.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_S)
        try:
            body = json.dumps(given, default=_plain)
            connection.request("POST", f"/_control/{name}", body)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["result"]


def _plain(value: Any) -> Any:
    """Write what JSON cannot: times as ISO text, iterables as lists."""
    return value.isoformat() if isinstance(value, datetime) else list(value)
