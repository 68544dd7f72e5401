"""The gate before the fake networks: logs every request and does the faults that break answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .faults import ANSWER_KINDS
from .x_shape import PROBLEMS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from uvicorn import Server

    from .faults import Fault, Faults
    from .store import Store

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def platform_of(path: str) -> str:
    """Tell which platform a path belongs to."""
    first = path.strip("/").partition("/")[0]
    return {"2": "x", "feeds": "feeds", "hook": "hook", "_control": "control"}.get(first, "reddit")


class Gate:
    """ASGI middleware; `server` must be set before connections can be reset."""

    def __init__(self, app: ASGIApp, store: Store, faults: Faults) -> None:
        self._app = app
        self._store = store
        self._faults = faults
        self.server: Server | None = None
        self._closing = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def close(self) -> None:
        """End every wait; called from another thread than the server's."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._closing.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log the request, strike it, and hand it on."""
        platform = platform_of(scope.get("path", ""))
        if scope["type"] != "http" or platform == "control":
            await self._app(scope, receive, send)
            return
        self._loop = asyncio.get_running_loop()
        with self._store.lock:
            fault = self._faults.strike(platform, scope["path"])
            latency_s = self._store.rules.latency_s
            entry = self._logged(scope, platform, fault)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        if latency_s:
            await self._wait(latency_s)
        if fault is None or fault.kind not in ANSWER_KINDS:
            scope.setdefault("state", {})["fault"] = fault
            await self._app(scope, receive, noting)
        else:
            await self._struck(fault, platform, scope, receive, noting)

    def _logged(self, scope: Scope, platform: str, fault: Fault | None) -> dict[str, Any]:
        self._store.request_count += 1
        entry: dict[str, Any] = {
            "n": self._store.request_count,
            "at": time.time(),
            "platform": platform,
            "method": scope["method"],
            "path": scope["path"],
            "query": dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            "fault": fault.kind if fault else None,
            "status": None,
        }
        self._store.requests.append(entry)
        return entry

    async def _struck(
        self, fault: Fault, platform: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if fault.kind == "slow":
            await self._wait(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.kind in {"hang", "truncated", "reset"}:
            await self._broken(fault, scope, receive, send)
        else:
            status, headers, body = _answer(fault, platform)
            await _send(send, status, headers, body)

    async def _broken(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a part of the good answer, then nothing, an end, or a reset."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        if fault.kind == "truncated" or fault.share > 0:
            await self._app(scope, receive, keep)
            start = messages[0]
            body = b"".join(message.get("body", b"") for message in messages[1:])
            part = body[: int(len(body) * fault.share)]
            headers = dict(start["headers"])
            if fault.kind == "truncated":
                headers[b"content-length"] = str(len(part)).encode()
            await send({**start, "headers": list(headers.items())})
            await send(
                {
                    "type": "http.response.body",
                    "body": part,
                    "more_body": fault.kind != "truncated",
                }
            )
        if fault.kind == "hang":
            await self._wait(fault.seconds, receive)
        if fault.kind in {"hang", "reset"}:
            self._reset(scope)

    async def _wait(self, seconds: float, receive: Receive | None = None) -> None:
        """Wait, but not longer than the server lives and the client listens."""
        waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._closing.wait())]
        if receive is not None:
            waiting.append(asyncio.ensure_future(_until_gone(receive)))
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _reset(self, scope: Scope) -> None:
        """Cut the connection with a TCP reset instead of an orderly end."""
        connections = self.server.server_state.connections if self.server else ()
        for connection in list(connections):
            if getattr(connection, "client", None) == scope["client"]:
                transport: Any = getattr(connection, "transport", None)
                raw = transport.get_extra_info("socket")
                # Lingering for 0 s makes the kernel send RST.
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _answer(fault: Fault, platform: str) -> tuple[int, dict[str, str], bytes]:
    """Make the answer that a fault gives instead of the good one."""
    if fault.kind == "html":
        body = fault.body or _PAGE.format("Something went wrong")
        return fault.status or 502, {"content-type": "text/html; charset=utf-8"}, body.encode()
    headers = {"content-type": "application/json; charset=utf-8"}
    if fault.kind == "rate_limit":
        headers |= _rate_headers(fault, platform)
        error = {"title": "Too Many Requests", "detail": "Too Many Requests", "status": 429}
        if platform == "reddit":
            error = {"message": "Too Many Requests", "error": 429}
        status = fault.status or 429
    elif fault.kind == "credits":
        status = fault.status or 429
        error = _credits(status)
        # The window itself is fine: only the body tells the cap from a full window.
        headers |= {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "449"}
    else:
        status = fault.status or 503
        error = {"title": "Service Unavailable", "detail": "Service Unavailable", "status": status}
        if fault.headers in {"retry_after", "both"}:
            headers["retry-after"] = str(int(fault.seconds))
    return status, headers, fault.body.encode() or json.dumps(error).encode()


def _rate_headers(fault: Fault, platform: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    if fault.headers in {"reset", "both"}:
        if platform == "reddit":
            names = ("x-ratelimit-used", "x-ratelimit-remaining", "x-ratelimit-reset")
            headers |= dict(zip(names, ("1000", "0.0", str(int(fault.seconds))), strict=True))
        else:
            names = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")
            reset = str(int(time.time() + fault.seconds))
            headers |= dict(zip(names, ("450", "0", reset), strict=True))
    if fault.headers in {"retry_after", "both"}:
        headers["retry-after"] = str(int(fault.seconds))
    return headers


def _credits(status: int) -> dict[str, Any]:
    """Give X's words for a used-up month (429), or for no credits (402 or 403)."""
    common = {"account_id": 1000000001, "product_name": "standard-basic"}
    if status == 429:
        return common | {
            "title": "UsageCapExceeded",
            "period": "Monthly",
            "scope": "Product",
            "detail": "Usage cap exceeded: Monthly product cap",
            "type": PROBLEMS + "usage-capped",
        }
    return common | {
        "title": "CreditsDepleted",
        "detail": "Your enrolled account does not have any credits to fulfill this request.",
        "type": PROBLEMS + "credits",
    }


async def _send(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
