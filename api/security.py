"""What every answer says to browsers, and where a sign-in may lead."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

#: No inline script or style, nothing from other sites, in no frame.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

#: Where people land after signing in.
HOME = "/queue"


def safe_next(target: str) -> str:
    r"""Return `target` if it is a path of this console, else its home.

    Browsers read a backslash as a slash and skip control characters, so that `/\\evil.example`
    and `/<tab>/evil.example` would lead away.
    """
    if not target.startswith("/") or target.startswith("//"):
        return HOME
    if "\\" in target or any(ord(character) < ord(" ") for character in target):
        return HOME
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or parts.path.startswith("/sign-"):
        return HOME
    return target


def sign_in_path(target: str) -> str:
    """Return the address of the sign-in page that leads on to `target`."""
    return f"/sign-in?next={quote(safe_next(target), safe='/')}"
