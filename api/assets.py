"""The console's own files: named with their digest, so that a browser fetches each once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from api.pages import static_path

#: Seconds that a browser may keep a file whose address has its digest: a year.
KEPT_S = 31_536_000


class Assets(StaticFiles):
    """Says how long each file may be kept.

    One that is asked for by the digest that it has now never changes under that address; one that
    is asked for otherwise (by an old page, or by hand) is asked for again each time.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        answer = await super().get_response(path, scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v")
        known = parse_qs(urlsplit(static_path(path)).query).get("v")
        is_the_same = asked is not None and asked == known
        answer.headers["Cache-Control"] = (
            f"public, max-age={KEPT_S}, immutable" if is_the_same else "no-cache"
        )
        return answer
