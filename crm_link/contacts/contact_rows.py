"""Turning a row of a contact file into a contact record. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crm_link.contacts.contact_columns import Columns
from crm_link.linking.keys import normalise_country, normalise_email, normalise_platform, profile_of
from crm_link.policy import normalise_source
from crm_link.types import ContactRecord

#: Longest id that our mirror holds.
MAX_ID_LENGTH = 200

_TRUE = frozenset({"1", "true", "yes", "y", "x", "t", "ja", "si", "sí", "oui", "on"})
_FALSE = frozenset({"", "0", "false", "no", "n", "f", "nein", "non", "off"})
_NUMBER = re.compile(r"[-+]?\d[\d.,'\s\u00a0\u202f]*")


def to_record(cells: Sequence[str], columns: Columns) -> ContactRecord:
    """Return the contact that a row holds.

    Raises:
        ValueError: The row cannot be understood; the message says why, without the value.

    """
    emails = tuple(
        address
        for cell in _cells(cells, columns, "email")
        for address in re.split(r"[;,|\s]+", cell)
        if address
    )
    external_id = _first(cells, columns, "id")
    if "id" not in columns.targets:
        external_id = next((found for e in emails if (found := normalise_email(e))), "")
    if not external_id:
        raise ValueError("has no id" if "id" in columns.targets else "has no e-mail, its id")
    if len(external_id) > MAX_ID_LENGTH:
        raise ValueError(f"has an id longer than {MAX_ID_LENGTH} signs")
    fields = {name: value for name, place in columns.others if (value := _cell(cells, place))}
    country = _first(cells, columns, "country")
    code = normalise_country(country) if country else None
    if country and code is None:
        fields["country"] = country
    for name in ("region", "city"):
        if value := _first(cells, columns, name):
            fields[name] = value
    handles, links = _handles(cells, columns)
    return ContactRecord(
        external_id=external_id,
        name=_name(cells, columns),
        family_name=_first(cells, columns, "last_name"),
        emails=emails,
        phones=tuple(
            number
            for cell in _cells(cells, columns, "phone")
            for number in map(str.strip, re.split(r"[;|\n,]+", cell))
            if number
        ),
        handles=handles,
        links=links,
        country=code,
        tier=_first(cells, columns, "tier") or None,
        value=_number(_first(cells, columns, "value")),
        owner=_first(cells, columns, "owner") or None,
        relationship_source=normalise_source(_first(cells, columns, "relationship_source")),
        do_not_contact=any(
            _truth(cell, "do_not_contact") for cell in _cells(cells, columns, "do_not_contact")
        ),
        is_deleted=_truth(_first(cells, columns, "is_deleted"), "is_deleted"),
        fields=fields,
    )


def _name(cells: Sequence[str], columns: Columns) -> str:
    name = _first(cells, columns, "name")
    if name:
        return name
    parts = (_first(cells, columns, "first_name"), _first(cells, columns, "last_name"))
    return " ".join(part for part in parts if part)


def _handles(
    cells: Sequence[str], columns: Columns
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return (platform, handle) pairs and links; the address of a profile is both."""
    handles: list[tuple[str, str]] = []
    links: list[str] = []
    for platform, place in columns.handles:
        for word in _words(_cell(cells, place)):
            _add_handle(handles, links, platform, word)
    platform = normalise_platform(_first(cells, columns, "platform"))
    for cell in _cells(cells, columns, "handle"):
        for word in _words(cell):
            before, colon, after = word.partition(":")
            if colon and "/" not in word:
                _add_handle(handles, links, normalise_platform(before), after)
            else:
                _add_handle(handles, links, platform, word)
    for cell in _cells(cells, columns, "website"):
        for word in _words(cell):
            links.append(word)
            if found := profile_of(word):
                handles.append(found)
    return tuple(dict.fromkeys(handles)), tuple(dict.fromkeys(links))


def _add_handle(handles: list[tuple[str, str]], links: list[str], platform: str, word: str) -> None:
    if "/" in word:
        links.append(word)
        if found := profile_of(word):
            handles.append(found)
        return
    handle = word.lstrip("@")
    if not handle:
        return
    if not platform:
        raise ValueError("has a handle, and no column says of which platform it is")
    handles.append((platform, handle))


def _number(text: str) -> float | None:
    """Return an amount of money as a number: `1,234.50`, `1.234,50 €` and `$99` are."""
    if not text:
        return None
    match = _NUMBER.search(text)
    if match is None or any(letter.isdigit() for letter in text[match.end() :]):
        raise ValueError("has a value that is no number")
    digits = re.sub(r"[\s'\u00a0\u202f]", "", match[0]).rstrip(".,")
    last = max(digits.rfind("."), digits.rfind(","))
    if last != -1:
        mark = digits[last]
        is_thousands = digits.count(mark) > 1 or (mark == "," and len(digits) - last - 1 == 3)  # noqa: PLR2004 - 1,234
        whole = digits[:last].replace(".", "").replace(",", "")
        digits = digits.replace(mark, "") if is_thousands else f"{whole}.{digits[last + 1 :]}"
        if is_thousands:
            digits = digits.replace(",", "")
    try:
        return float(digits)
    except ValueError as error:
        raise ValueError("has a value that is no number") from error


def _truth(text: str, column: str) -> bool:
    word = text.casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"has neither yes nor no in {column}")


def _words(cell: str) -> list[str]:
    return [word for word in re.split(r"[;,|\s]+", cell) if word]


def _first(cells: Sequence[str], columns: Columns, target: str) -> str:
    return next(iter(_cells(cells, columns, target)), "")


def _cells(cells: Sequence[str], columns: Columns, target: str) -> list[str]:
    places = columns.targets.get(target, ())
    return [value for place in places if (value := _cell(cells, place))]


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].replace("\x00", "").strip() if place < len(cells) else ""
