"""The routes of the fake networks: each reads a request, asks its platform and writes headers."""

from __future__ import annotations

import base64
import inspect
import json
import time
from typing import TYPE_CHECKING, Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from .control import Control
from .feeds import document
from .reddit import Reddit
from .reddit import RefusedError as RedditRefusedError
from .x import X
from .x_params import RefusedError as XRefusedError
from .x_tokens import renew, takes

if TYPE_CHECKING:
    from starlette.requests import Request

    from .faults import Fault
    from .store import Store

_JSON = "application/json; charset=utf-8"


def make_app(store: Store, control: Control) -> Starlette:
    """Build the app without its gate."""
    routes = Routes(store, control)
    every = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH"]
    return Starlette(
        routes=[
            Route("/2/oauth2/token", routes.x_renewal, methods=["POST"]),
            Route("/2/{path:path}", routes.x, methods=["GET", "POST"]),
            Route("/feeds/{name}", routes.feed),
            Route("/hook", routes.hook, methods=every),
            Route("/hook/{name}", routes.hook, methods=every),
            Route("/_control/{name}", routes.control, methods=["GET", "POST"]),
            Route("/api/v1/access_token", routes.reddit_sign_in, methods=["POST"]),
            Route("/{path:path}", routes.reddit, methods=["GET", "POST"]),
        ]
    )


class Routes:
    """Endpoints, which take the store's lock for as long as they think."""

    def __init__(self, store: Store, control: Control) -> None:
        self._store = store
        self._control = control
        self._x = X(store)
        self._reddit = Reddit(store)

    async def x(self, request: Request) -> Response:
        """Answer as X, with its rate headers."""
        store, rules = self._store, self._store.rules
        posted = orjson.loads(await request.body()) if request.method == "POST" else None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"} or not takes(store, token):
            return _json(401, {"title": "Unauthorized", "type": "about:blank", "status": 401,
                               "detail": "Unauthorized"})  # fmt: skip
        with store.lock:
            used, ends = store.window(f"x {_route(request.url.path)}", rules.x_window_s)
            left = rules.x_limit - used
            headers = {
                "x-rate-limit-limit": str(rules.x_limit),
                "x-rate-limit-remaining": str(max(left, 0 if rules.limiter else 1)),
                "x-rate-limit-reset": str(int(ends) + 1),
            }
            if rules.limiter and left < 0:
                problem = {"title": "Too Many Requests", "detail": "Too Many Requests",
                           "type": "about:blank", "status": 429}  # fmt: skip
                return _json(429, problem, headers)
            try:
                path, query = request.url.path, dict(request.query_params)
                body = self._x.answer(path, query, _fault(request), posted)
            except XRefusedError as refused:
                return _json(refused.status, refused.body, headers)
            return _json(200 if posted is None else 201, body, headers)

    async def x_renewal(self, request: Request) -> Response:
        """Give a new pair of tokens."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        with self._store.lock:
            try:
                named = request.headers.get("authorization", "")
                return _json(200, renew(self._store, form, named))
            except XRefusedError as refused:
                return _json(refused.status, refused.body)

    async def reddit_sign_in(self, request: Request) -> Response:
        """Give an access token."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        encoded = request.headers.get("authorization", "").partition(" ")[2]
        user = base64.b64decode(encoded).decode().partition(":")[0]
        with self._store.lock:
            try:
                return _json(200, self._reddit.sign_in(form, user))
            except RedditRefusedError as refused:
                return _json(refused.status, refused.body)

    async def reddit(self, request: Request) -> Response:
        """Answer as Reddit, with its rate headers."""
        store, rules = self._store, self._store.rules
        token = request.headers.get("authorization", "").partition(" ")[2]
        query = dict(request.query_params)
        if request.method == "POST":
            query |= {name: str(value) for name, value in (await request.form()).items()}
        headers: dict[str, str] = {}
        with store.lock:
            try:
                self._reddit.check_token(token)
                used, ends = store.window("reddit", rules.reddit_window_s)
                headers = self._reddit_headers(used, ends)
                if rules.limiter and used > rules.reddit_limit:
                    return _json(429, {"message": "Too Many Requests", "error": 429}, headers)
                path, method = request.url.path, request.method
                body = self._reddit.answer(path, query, _fault(request), method)
            except RedditRefusedError as refused:
                return _json(refused.status, refused.body, headers | refused.headers)
            return _json(200, body, headers)

    def _reddit_headers(self, used: int, ends: float) -> dict[str, str]:
        """Give true figures to a limited client, else some that make prawcore never sleep."""
        rules = self._store.rules
        left = max(0, rules.reddit_limit - used)
        reset = max(1, int(ends - time.time()))
        if not rules.limiter:
            used, left, reset = used % 100, 9_900, 1
        return {
            "x-ratelimit-used": str(used),
            "x-ratelimit-remaining": f"{left}.0",
            "x-ratelimit-reset": str(reset),
        }

    async def feed(self, request: Request) -> Response:
        """Answer with a feed's document."""
        with self._store.lock:
            found = document(
                self._store, request.path_params["name"], dict(request.headers), _fault(request)
            )
        return Response(found.body, found.status, found.headers)

    async def hook(self, request: Request) -> Response:
        """Keep what a webhook brings."""
        body = (await request.body()).decode(errors="replace")
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = None
        with self._store.lock:
            hooks = self._store.hooks
            hook = {
                "n": (hooks[-1]["n"] if hooks else 0) + 1,
                "at": time.time(),
                "name": request.path_params.get("name", ""),
                "method": request.method,
                "query": dict(request.query_params),
                "headers": dict(request.headers),
                "body": body,
                "json": parsed,
            }
            hooks.append(hook)
        return _json(200, {"ok": True})

    async def control(self, request: Request) -> Response:
        """Call a method of `Control` with JSON arguments (POST) or query parameters (GET)."""
        name = request.path_params["name"]
        method = None if name.startswith("_") else getattr(self._control, name, None)
        if method is None:
            return _json(404, {"error": f"there is no control {name!r}"})
        try:
            if request.method == "POST":
                arguments = json.loads(await request.body() or b"{}")
            else:
                arguments = {key: _value(text) for key, text in request.query_params.items()}
            inspect.signature(method).bind(**arguments)
            result = await run_in_threadpool(method, **arguments)
        except (ValueError, TypeError, KeyError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})
        except TimeoutError as error:
            return _json(504, {"error": str(error)})
        return _json(200, {"result": result})


def _fault(request: Request) -> Fault | None:
    found: Fault | None = request.scope.get("state", {}).get("fault")
    return found


def _route(path: str) -> str:
    """Give the endpoint that a window counts: numbers in a path are no part of it."""
    return "/".join("*" if part.isdecimal() and part != "2" else part for part in path.split("/"))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type=_JSON)
