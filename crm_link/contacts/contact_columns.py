"""Which column of a contact file is what: given by the user, or known from common exports. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config.errors import InputError
from crm_link.linking.keys import normalise_platform

#: Headers of common exports (HubSpot, Salesforce, Zoho) and plain ones, letters and digits
#: only. The first header of a file that is in a single target's list is taken.
_SINGLE: dict[str, tuple[str, ...]] = {
    "id": (
        *("id", "contactid", "recordid", "recordidcontact", "customerid", "externalid"),
        *("contactrecordid", "leadid", "crmid", "uuid"),
    ),
    "name": ("name", "fullname", "contactname", "displayname", "customername"),
    "first_name": ("firstname", "givenname", "forename", "vorname", "prenom", "nombre"),
    "last_name": ("lastname", "surname", "familyname", "nachname", "nom", "apellidos"),
    "country": (
        *("country", "countryregion", "countrycode", "mailingcountry", "mailingcountrycode"),
        "land",
    ),
    "region": (
        "region",
        "state",
        "stateregion",
        "mailingstate",
        "mailingstateprovince",
        "province",
    ),
    "city": ("city", "mailingcity", "town", "stadt"),
    "tier": ("tier", "customertier", "segment", "customersegment"),
    "value": ("value", "customervalue", "lifetimevalue", "customerlifetimevalue", "ltv", "clv"),
    "owner": (
        "owner",
        "contactowner",
        "recordowner",
        "ownername",
        "contactownername",
        "owneremail",
    ),
    "relationship_source": ("relationshipsource", "relationship"),
    "is_deleted": ("isdeleted", "deleted"),
    "platform": ("platform", "network", "socialnetwork"),
}

#: Targets that several columns may give.
_MANY: dict[str, tuple[str, ...]] = {
    "email": (
        *("email", "emailaddress", "emails", "workemail", "personalemail", "secondaryemail"),
        *("otheremail", "email2", "email1", "email3", "additionalemailaddresses", "mail"),
    ),
    "phone": (
        *("phone", "phonenumber", "phones", "mobile", "mobilephone", "mobilephonenumber"),
        *("mobilenumber", "homephone", "workphone", "otherphone", "businessphone", "telephone"),
        *("whatsappphonenumber", "phone1", "phone2", "cell", "cellphone", "telefon"),
    ),
    "website": (
        *("website", "websiteurl", "url", "homepage", "web", "site", "linkedin", "linkedinurl"),
        *("linkedinprofile", "linkedinbio", "blog", "link", "links"),
    ),
    "do_not_contact": (
        *("donotcontact", "donotcall", "donotemail", "emailoptout", "optout", "optedout"),
        *("unsubscribed", "unsubscribedfromallemail", "hasoptedoutofemail", "donotmarket"),
    ),
    "handle": ("handle", "handles", "socialhandle", "socialhandles"),
}

#: Platforms whose columns are found by their name.
_PLATFORMS = (
    *("x", "twitter", "mastodon", "bluesky", "instagram", "facebook", "reddit", "youtube"),
    *("tiktok", "github", "threads"),
)
_HANDLE_ENDINGS = ("handle", "username", "user", "account", "accountid", "profile", "url", "id", "")

_HANDLE_TARGET = re.compile(r"([a-z][a-z0-9.]*)_(?:handle|id)")

#: What a row needs to be worth keeping.
_SOME_OF = ("name", "first_name", "last_name", "email", "phone", "handle")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row each thing stands.

    Args:
        targets: Positions by target (`name`, `email`, ...), in order.
        handles: (platform, position) of columns that hold one platform's handle.
        others: (header, position) of all other columns: kept as they are.

    """

    targets: Mapping[str, tuple[int, ...]]
    handles: tuple[tuple[str, int], ...] = ()
    others: tuple[tuple[str, int], ...] = field(default=())


class ColumnsMissingError(InputError):
    """A table lacks the columns without which a row is no contact."""


def find_columns(header: Sequence[str], mapping: Mapping[str, str] | None = None) -> Columns:
    """Return what is where, by the user's mapping and then by known headers.

    Args:
        header: The file's first row.
        mapping: Target to header, for example `{"name": "Full Name", "x_handle": "Twitter"}`;
            several headers of one target are separated by `|`.

    Raises:
        InputError: The mapping names a target or a header that is not there, or the file
            has not what a contact needs; the message says what was found.

    """
    targets: dict[str, list[int]] = {}
    handles: list[tuple[str, int]] = []
    used: set[int] = set()
    for target, names in (mapping or {}).items():
        for name in names.split("|"):
            place = _place(header, name, target)
            used.add(place)
            platform = _platform_of(target)
            if platform is not None:
                handles.append((platform, place))
            else:
                targets.setdefault(target, []).append(place)
    given = set(targets)
    for place, name in enumerate(header):
        if place in used:
            continue
        plain = _plain(name)
        found = _known_target(plain, given, targets)
        if found is not None:
            targets.setdefault(found, []).append(place)
            used.add(place)
        elif (platform := _known_platform(plain)) is not None:
            handles.append((platform, place))
            used.add(place)
    _check(header, targets, handles)
    others = tuple(
        (name.strip(), place)
        for place, name in enumerate(header)
        if place not in used and name.strip()
    )
    return Columns({name: tuple(at) for name, at in targets.items()}, tuple(handles), others)


def _known_target(plain: str, given: set[str], targets: Mapping[str, list[int]]) -> str | None:
    for target, names in _SINGLE.items():
        if plain in names and target not in targets:
            return target
    for target, names in _MANY.items():
        if plain in names and target not in given:
            return target
    return None


def _known_platform(plain: str) -> str | None:
    for platform in _PLATFORMS:
        if plain in {platform + ending for ending in _HANDLE_ENDINGS}:
            return normalise_platform(platform)
    return None


def _platform_of(target: str) -> str | None:
    """Return the platform of a target such as `x_handle`; None for other known targets."""
    if target in _SINGLE or target in _MANY:
        return None
    match = _HANDLE_TARGET.fullmatch(target)
    if match is None:
        known = ", ".join([*_SINGLE, *_MANY, "<platform>_handle"])
        msg = f"the column mapping names '{target}', which is not known; known: {known}"
        raise InputError(msg)
    return normalise_platform(match[1])


def _place(header: Sequence[str], name: str, target: str) -> int:
    wanted = name.strip().casefold()
    for place, found in enumerate(header):
        if found.strip().casefold() == wanted:
            return place
    msg = (
        f"the column mapping {target}={name} names a column that the file has not; "
        f"it has: {_listed(header)}"
    )
    raise InputError(msg)


def _check(
    header: Sequence[str], targets: Mapping[str, list[int]], handles: Sequence[tuple[str, int]]
) -> None:
    has_something = bool(handles) or any(name in targets for name in _SOME_OF)
    if has_something and ("id" in targets or "email" in targets):
        return
    missing = "a column with the contact's id (or e-mail)"
    if not has_something:
        missing += " and one with a name, e-mail, phone or handle"
    msg = f"the file has no {missing.removeprefix('a ')}; it has: {_listed(header)}"
    raise ColumnsMissingError(msg)


def _listed(header: Sequence[str]) -> str:
    return ", ".join(name.strip() or "(no name)" for name in header[:40])


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
