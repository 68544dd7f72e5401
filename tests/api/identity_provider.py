"""A provider of identities that is not there: OpenID Connect over real HTTP on loopback."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import orjson
import uvicorn
from fastapi import FastAPI, Form, HTTPException
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID = "groundswell"
CLIENT_SECRET = "what the provider gave"


class IdentityProvider:
    """Signs in whoever comes, as the person that `claims` says; `wrong` spoils what it gives."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {
            "sub": "u-1",
            "email": "Ana@Example.org",
            "email_verified": True,
            "name": "Ana Prieto",
        }
        self.wrong: dict[str, Any] = {}
        self.signs_with = ""
        self.issuer = ""
        self._keys = {"real": RSAKey.generate_key(2048, {"kid": "1"})}
        self._asked: dict[str, dict[str, str]] = {}

    def sign(self, address: str) -> str:
        """Do what a browser does at the authorization endpoint; return where it is sent back to."""
        query = {key: value[0] for key, value in parse_qs(urlsplit(address).query).items()}
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self._asked[code] = query
        back = urlsplit(query["redirect_uri"]).path
        return f"{back}?{urlencode({'code': code, 'state': query['state']})}"

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def metadata() -> dict[str, Any]:
            return {
                "issuer": self.wrong.get("issuer", self.issuer),
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            return {"keys": [self._keys["real"].as_dict(private=False)]}

        @app.get("/userinfo")
        def userinfo() -> dict[str, Any]:
            told: dict[str, Any] = self.wrong.get("userinfo", self.claims)
            return told

        @app.post("/token")
        def token(
            code: Annotated[str, Form()], code_verifier: Annotated[str, Form()]
        ) -> dict[str, Any]:
            asked = self._asked.pop(code, None)
            digest = hashlib.sha256(code_verifier.encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if asked is None or challenge != asked["code_challenge"]:
                raise HTTPException(400, "invalid_grant")
            return {
                "access_token": secrets.token_urlsafe(),
                "token_type": "Bearer",
                "id_token": self._id_token(asked["nonce"]),
            }

        return app

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.claims,
            **self.wrong.get("claims", {}),
        }
        if self.signs_with == "nothing":
            parts = ({"alg": "none"}, claims)
            return ".".join([*(_encoded(part) for part in parts), ""])
        if self.signs_with == "the secret that both know":
            header = {"alg": "HS256"}
            return jwt.encode(header, claims, OctKey.import_key(CLIENT_SECRET), ["HS256"])
        key = self._keys["real"]
        if self.signs_with == "another key":
            key = RSAKey.generate_key(2048, {"kid": "1"})
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, key)


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=")


@contextmanager
def running(provider: IdentityProvider) -> Iterator[IdentityProvider]:
    """Serve the provider on a free port."""
    server = uvicorn.Server(uvicorn.Config(provider.app(), port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the provider did not start within 30 s"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    provider.issuer = f"http://127.0.0.1:{port}"
    httpx.get(f"{provider.issuer}/keys").raise_for_status()
    yield provider
    server.should_exit = True
    thread.join(timeout=10)
