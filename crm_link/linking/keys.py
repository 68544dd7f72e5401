"""Keys by which an author and a contact meet: the same value, written the same way.

Pure: no database, no network, no settings. The libraries do the normalising; plain ASCII
addresses, which are nearly all, take a short way because `email-validator` needs 0.4 ms
for one and a CRM has 100,000.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberFormat

from crm_link.linking.names import name_key as name_key  # noqa: PLC0414 - one door to all keys


class KeyKind(StrEnum):
    """What kind of value a key is."""

    EMAIL = "email"
    PHONE = "phone"
    HANDLE = "handle"
    LINK = "link"
    NAME = "name"


#: Longest key that the table holds; a longer value is no key.
MAX_KEY_LENGTH = 500

#: Other names of a platform that CRMs use, and ours.
_PLATFORMS = {
    "twitter": "x",
    "x.com": "x",
    "twitter.com": "x",
    "ig": "instagram",
    "fb": "facebook",
    "bsky": "bluesky",
}

#: Hosts whose pages are people's profiles: (platform, where the handle stands).
_PROFILE_HOSTS = {
    "x.com": ("x", re.compile(r"/([A-Za-z0-9_]{1,15})/?$")),
    "twitter.com": ("x", re.compile(r"/([A-Za-z0-9_]{1,15})/?$")),
    "instagram.com": ("instagram", re.compile(r"/([\w.]+)/?$")),
    "facebook.com": ("facebook", re.compile(r"/([\w.]+)/?$")),
    "tiktok.com": ("tiktok", re.compile(r"/@([\w.]+)/?$")),
    "youtube.com": ("youtube", re.compile(r"/@([\w.-]+)/?$")),
    "bsky.app": ("bluesky", re.compile(r"/profile/([\w.:-]+)/?$")),
    "reddit.com": ("reddit", re.compile(r"/(?:u|user)/([\w-]+)/?$")),
    "github.com": ("github", re.compile(r"/([\w-]+)/?$")),
}

#: Pages of those hosts that are nobody's profile.
_NO_HANDLES = frozenset(
    {"home", "search", "share", "intent", "i", "login", "explore", "profile.php", "hashtag"}
)

_MASTODON_PATH = re.compile(r"/@([\w.-]+)/?$")

#: Hosts that many people share, so that the bare host says nothing about who somebody is.
SHARED_HOSTS = frozenset(
    {
        *_PROFILE_HOSTS,
        *("linkedin.com", "linktr.ee", "medium.com", "substack.com", "wordpress.com"),
        *("blogspot.com", "tumblr.com", "t.me", "wa.me", "discord.gg", "twitch.tv"),
        *("pinterest.com", "youtu.be", "google.com", "sites.google.com", "docs.google.com"),
        *("forms.gle", "bit.ly", "t.co", "lnkd.in", "amazon.com", "etsy.com", "patreon.com"),
        *("ko-fi.com", "paypal.me", "paypal.com", "wikipedia.org", "en.wikipedia.org"),
        *("spotify.com", "open.spotify.com", "soundcloud.com", "apple.com", "about.me"),
        *("beacons.ai", "carrd.co", "bio.link", "gofundme.com", "mastodon.social"),
    }
)

#: Local parts that are a department's, not a person's.
ROLE_ADDRESSES = frozenset(
    {
        *("abuse", "accounts", "admin", "billing", "care", "contact", "customercare"),
        *("customerservice", "enquiries", "feedback", "hello", "help", "helpdesk", "info"),
        *("inquiries", "jobs", "kontakt", "mail", "marketing", "media", "news", "noreply"),
        *("no-reply", "office", "orders", "postmaster", "pr", "press", "returns", "sales"),
        *("service", "social", "support", "team", "webmaster"),
    }
)

_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_%+'-]+(?:\.[a-z0-9_%+'-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}"
)
_MAX_EMAIL_LENGTH = 254


def hash_value(secret_key: str, kind: str, value: str) -> str:
    """Return a keyed hash of a value: it can be compared, and not be read back."""
    message = f"{kind}\x1f{value}".encode()
    return hmac.new(secret_key.encode(), message, hashlib.sha256).hexdigest()[:32]


@lru_cache(maxsize=4096)
def normalise_email(text: str) -> str | None:
    """Return an address as one mailbox is always written, None if it is no address.

    Lower case; what follows a + is dropped (RFC 5233 subaddressing), and for Gmail the
    dots too, because Gmail does not tell them apart.
    """
    address = text.strip().removeprefix("mailto:").strip().lower()
    if not (_PLAIN_EMAIL.fullmatch(address) and len(address) <= _MAX_EMAIL_LENGTH):
        try:
            # Reserved names such as .test are somebody's test data, not a mistake.
            found = validate_email(address, check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            return None
        address = found.normalized.casefold()
    local, _, domain = address.rpartition("@")
    local = local.split("+", 1)[0]
    if domain in _GMAIL:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}" if local else None


def is_role_address(email: str) -> bool:
    """Say whether a normalised address is a department's."""
    return email.partition("@")[0] in ROLE_ADDRESSES


def normalise_phone(text: str, country: str | None = None) -> str | None:
    """Return a number as E.164 (with `;ext=` where it has one), None if it is no number.

    Args:
        text: The number as somebody wrote it.
        country: ISO 3166 code of the country that a national number belongs to; without
            one, only international numbers (+...) are understood.

    """
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else written


@lru_cache(maxsize=1024)
def normalise_country(text: str) -> str | None:
    """Return the ISO 3166 code of a country given by its code or by its name in any language."""
    word = text.strip()
    code = _COUNTRY_CODES.get(word.upper(), word.upper())
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    return _country_names().get(word.casefold())


#: Codes that people write and ISO 3166 alpha-2 does not have.
_COUNTRY_CODES = {"UK": "GB", "USA": "US", "U.S.": "US", "U.S.A.": "US", "U.K.": "GB", "UAE": "AE"}


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    from phonenumbers.geodata.locale import LOCALE_DATA  # noqa: PLC0415 - large, seldom needed

    return {
        name.casefold(): code
        for code, names in LOCALE_DATA.items()
        for name in names.values()
        if not name.startswith("*") and code in phonenumbers.SUPPORTED_REGIONS
    }


def normalise_platform(text: str) -> str:
    """Return the name under which Groundswell knows a platform."""
    word = text.strip().casefold()
    return _PLATFORMS.get(word, word)


def handle_key(platform: str, handle: str) -> str | None:
    """Return `platform:handle`, for a handle, an account id or a profile's address."""
    if "/" in handle:
        found = profile_of(handle)
        return f"{found[0]}:{found[1]}" if found and found[0] == platform else None
    name = handle.strip().lstrip("@").casefold()
    return _fit(f"{platform}:{name}") if name else None


def profile_of(url: str) -> tuple[str, str] | None:
    """Return (platform, handle) if `url` is somebody's profile page."""
    host, path = _split(url)
    if host in _PROFILE_HOSTS:
        platform, pattern = _PROFILE_HOSTS[host]
        match = pattern.fullmatch(path)
        if match is None or match[1].casefold() in _NO_HANDLES:
            return None
        return platform, match[1].casefold()
    match = _MASTODON_PATH.fullmatch(path)
    return ("mastodon", f"{match[1].casefold()}@{host}") if match and host else None


def link_key(url: str) -> str | None:
    """Return an address without scheme, www, query and trailing slash.

    None for the front page of a host that many people share.
    """
    host, path = _split(url)
    path = path.rstrip("/").casefold()
    if "." not in host or (not path and host in SHARED_HOSTS):
        return None
    return _fit(host + path)


def host_key(url: str) -> str | None:
    """Return the host alone, where the host can be one person's."""
    host, _ = _split(url)
    return host if "." in host and host not in SHARED_HOSTS else None


def _split(url: str) -> tuple[str, str]:
    text = url.strip()
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host = (parts.hostname or "").rstrip(".").casefold()
    except ValueError:
        return "", ""
    for prefix in ("www.", "m.", "mobile."):
        host = host.removeprefix(prefix)
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return "", ""
    return host, parts.path


def _fit(value: str) -> str | None:
    return value if len(value) <= MAX_KEY_LENGTH else None
