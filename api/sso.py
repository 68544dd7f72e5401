"""Single sign-on through OpenID Connect: who somebody is, as the company's provider says.

Authlib does the protocol: discovery, authorization code with PKCE, state and nonce, and the
check of the signed ID token (OpenID Connect Core 1.0, section 3.1.3.7). Here is whom we believe
and what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.requests import Request
from starlette.responses import Response

from api.models import Role
from config.errors import InputError, PermissionDeniedError, TransientError
from config.logs import get_logger
from config.settings import PREFIX, read_settings

log = get_logger(__name__)

#: Seconds that one answer of the provider may take.
TIMEOUT_S = 10.0

#: Seconds that the provider's clock may be off.
LEEWAY_S = 60

#: Signatures that are believed: made with a key that only the provider has.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)

#: Hosts that a provider may have without https: tests, and a proxy on the same machine.
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SsoSettings(BaseSettings):
    """The provider of single sign-on; without an issuer there is none."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}SSO_", extra="ignore", frozen=True)

    issuer: str = Field(default="", description="Address of the OpenID Connect provider.")
    client_id: str = Field(default="", description="What the provider calls Groundswell.")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret that the provider gave for it."
    )
    name: str = Field(default="single sign-on", description="What the button calls the provider.")
    domains: str = Field(
        default="", description="Domains of addresses that may come in, with commas; empty: all."
    )
    role_claim: str = Field(
        default="", description="Claim that says a user's groups; empty: roles are given here."
    )
    roles: str = Field(
        default="",
        description="Role of each group, as in `pr-team=pr_lead,it=admin`; the highest one counts.",
    )
    passwords: bool = Field(
        default=True, description="Whether people may sign in with a password too."
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as the provider says; `role` is None where it says nothing of roles."""

    subject: str
    email: str
    name: str
    role: Role | None


class SingleSignOn:
    """One provider; lives as long as the application."""

    def __init__(self, settings: SsoSettings) -> None:
        """Take the settings over.

        Raises:
            InputError: They cannot be used; the message names the setting.
        """
        parts = urlsplit(settings.issuer)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise InputError("%(prefix)sSSO_ISSUER must be an https address", prefix=PREFIX)
        if not settings.client_id:
            raise InputError("%(prefix)sSSO_CLIENT_ID is missing", prefix=PREFIX)
        self.settings = settings
        self._domains = frozenset(_words(settings.domains.lower()))
        self._roles = _roles(settings.roles)
        oauth = OAuth()
        oauth.register(
            "sso",
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value() or None,
            server_metadata_url=settings.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_S,
            },
        )
        self._client: Any = oauth.create_client("sso")

    async def redirect(self, request: Request, callback: str) -> Response:
        """Send somebody to the provider; their session keeps state, nonce and verifier.

        Raises:
            TransientError: The provider does not answer.
        """
        try:
            await self._metadata()
            answer: Response = await self._client.authorize_redirect(request, callback)
        except (httpx.HTTPError, ValueError, RuntimeError) as error:
            raise _is_away(error) from error
        return answer

    async def identify(self, request: Request) -> Identity:
        """Return who came back from the provider.

        Raises:
            PermissionDeniedError: What they bring is not believed, or they may not come in.
            TransientError: The provider does not answer.
        """
        try:
            await self._metadata()
            token = await self._client.authorize_access_token(request, leeway=LEEWAY_S)
            claims = dict(token.get("userinfo") or {})
            if "sub" in claims and "email" not in claims:
                claims |= await self._asked(token, str(claims["sub"]))
        except (OAuthError, JoseError) as error:
            log.warning("sign-on refused", kind=type(error).__name__)
            raise PermissionDeniedError(
                "the sign-on was not completed: what came back is not valid; try again"
            ) from error
        except httpx.HTTPError as error:
            raise _is_away(error) from error
        except (ValueError, RuntimeError) as error:
            log.warning("sign-on refused", kind=type(error).__name__)
            raise PermissionDeniedError("the sign-on provider's answer is not valid") from error
        return self._believed(claims)

    async def _metadata(self) -> None:
        """Read what the provider says of itself, once, and keep to signatures that prove it."""
        found = await self._client.load_server_metadata()
        if str(found.get("issuer", "")).rstrip("/") != self.settings.issuer.rstrip("/"):
            found.pop("_loaded_at", None)
            raise ValueError("the provider calls itself something else than GROUNDSWELL_SSO_ISSUER")
        offered = found.get("id_token_signing_alg_values_supported") or ["RS256"]
        found["id_token_signing_alg_values_supported"] = [
            name for name in offered if name in ALGORITHMS
        ]

    async def _asked(self, token: dict[str, Any], subject: str) -> dict[str, Any]:
        """Return what the provider tells beside the ID token, about the same person."""
        if "userinfo_endpoint" not in await self._client.load_server_metadata():
            return {}
        told = dict(await self._client.userinfo(token=token))
        return told if str(told.get("sub")) == subject else {}

    def _believed(self, claims: dict[str, Any]) -> Identity:
        subject, email = str(claims.get("sub") or ""), str(claims.get("email") or "").lower()
        if not subject or "@" not in email:
            raise PermissionDeniedError("the sign-on provider does not say your e-mail address")
        is_ours = email.rpartition("@")[2] in self._domains
        if self._domains and not is_ours:
            raise PermissionDeniedError("addresses of this domain may not come in; ask an admin")
        # Some providers say nothing of it; the company's own domains are the company's. Others
        # write it as text, where "false" must not count as said.
        if str(claims.get("email_verified", is_ours)).lower() != "true":
            raise PermissionDeniedError("your e-mail address is not verified with the provider")
        name = str(claims.get("name") or "")[:200]
        return Identity(f"{self.settings.issuer} {subject}"[:500], email, name, self._role(claims))

    def _role(self, claims: dict[str, Any]) -> Role | None:
        if not self.settings.role_claim:
            return None
        told = claims.get(self.settings.role_claim) or []
        groups = [told] if isinstance(told, str) else [str(one) for one in told]
        order = list(Role)
        found = [self._roles[group] for group in groups if group in self._roles]
        return max(found, key=order.index, default=Role.VIEWER)


def find_sso() -> SingleSignOn | None:
    """Return the provider that the settings name; None where there is none.

    Raises:
        InputError: The settings cannot be used.
    """
    settings = read_settings(SsoSettings)
    return SingleSignOn(settings) if settings.issuer else None


def _is_away(error: Exception) -> TransientError:
    log.warning("sign-on provider unavailable", kind=type(error).__name__)
    return TransientError("the sign-on provider cannot be used now; try again in a moment")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _roles(text: str) -> dict[str, Role]:
    found: dict[str, Role] = {}
    for pair in _words(text):
        group, _, role = pair.rpartition("=")
        if not group or role.strip() not in set(Role):
            raise InputError(
                "%(prefix)sSSO_ROLES: '%(pair)s' is not GROUP=ROLE; roles are %(role)s",
                prefix=PREFIX,
                pair=pair,
                role=", ".join(Role),
            )
        found[group.strip()] = Role(role.strip())
    return found
