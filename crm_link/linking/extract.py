"""Finding e-mail addresses and phone numbers in what an author writes. Pure.

Cheap looks come first (an @, seven digits), the libraries decide. Everything is bounded,
so that a post of a megabyte costs no more than it must.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher

from crm_link.linking.keys import normalise_email, normalise_phone

#: Looked at in one text, at most: a text with more is a list, not somebody's own address.
MAX_FOUND = 10

_LOCAL = re.compile(r"[^\s<>()\[\]{},;:\"'@/\\|=]{1,64}$")
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_MAX_LOCAL = 64
_MAX_DOMAIN = 253

#: Seven digits or more with at most three signs between two of them, not inside a word,
#: an address or a decimal number.
_DIGITS = re.compile(r"(?<![\w/.@#=])[+\uff0b]?\(?\d(?:[\s().\u00a0\u2010-\u2015\-/]{0,3}\d){6,40}")

#: A date reads like the beginning of a number.
_DATE = re.compile(r"(?<!\d)[12]\d{3}[-/.][01]?\d[-/.][0-3]?\d(?!\d)")

#: Words by which somebody says that an address is their own; what is not read here
#: (other languages) counts as not said.
_OWN = re.compile(
    r"\b(?:my|mine|me|i|i['\u2019]m|us|our|mein\w*|mich|mir|meu|minha|mi|mío|mon|ma|moi|mio|mia)\b",
    re.IGNORECASE,
)
_OWN_WINDOW = 60


def emails_in(text: str) -> dict[str, int]:
    """Return the normalised addresses in `text` and where each begins."""
    found: dict[str, int] = {}
    place = text.find("@")
    looked = 0
    while place != -1 and len(found) < MAX_FOUND and looked < 10 * MAX_FOUND:
        looked += 1
        local = _LOCAL.search(text, max(0, place - _MAX_LOCAL), place)
        domain = _DOMAIN.match(text, place + 1, place + 1 + _MAX_DOMAIN)
        if local and domain:
            email = normalise_email(f"{local[0].lstrip('.')}@{domain[0].rstrip('.-_')}")
            if email:
                found.setdefault(email, local.start())
        place = text.find("@", place + 1)
    return found


def phones_in(text: str, country: str | None = None) -> dict[str, int]:
    """Return the phone numbers in `text` as E.164 and where each begins.

    Args:
        text: What an author wrote.
        country: ISO 3166 code of the country whose national numbers are understood too.

    """
    found: dict[str, int] = {}
    if country is None and "+" not in text and "\uff0b" not in text:
        return found
    for run in _runs(text):
        for match in PhoneNumberMatcher(_DATE.sub(" ", run[0]), country, leniency=Leniency.VALID):
            number = normalise_phone(
                phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            )
            if number and len(found) < MAX_FOUND:
                found.setdefault(number, run.start())
    return found


def _runs(text: str) -> Iterator[re.Match[str]]:
    for count, run in enumerate(_DIGITS.finditer(text)):
        if count == MAX_FOUND:
            return
        yield run


def says_own(text: str, place: int) -> bool:
    """Say whether the words shortly before `place` call what stands there the writer's own."""
    return _OWN.search(text, max(0, place - _OWN_WINDOW), place) is not None
