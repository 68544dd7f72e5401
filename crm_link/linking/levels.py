"""Comparing an author with a contact: one level for the name, the place and the web. Pure.

A level is a word such as `full` or `conflict`; what it weighs is data (`crm_link.linking.weights`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import tldextract

from crm_link.linking.keys import SHARED_HOSTS, link_key
from crm_link.linking.name_levels import NameLevel as NameLevel  # noqa: PLC0414 - one door to all levels
from crm_link.linking.name_levels import name_level
from crm_link.linking.person_names import (
    PersonName,
    contact_name,
    display_words,
    handle_words,
    is_without_vowels,
    words,
)
from crm_link.linking.places import Named, RegionBook, fold_place, place_phrases


class PlaceLevel(StrEnum):
    """Whether the author names the contact's region."""

    AGREES = "agrees"
    AMONG = "among"  # among several
    HINTED = "hinted"  # perhaps: two letters in a handle, a word that is a place too
    CONFLICT = "conflict"  # only others
    MISSING = "missing"


class WebLevel(StrEnum):
    """Whether the author links to the contact's site."""

    PAGE = "page"
    HOST = "host"
    SHARED_HOST = "shared_host"  # a host that many contacts have
    SIBLING = "sibling"  # another person's site in the same organisation
    OTHER = "other"
    MISSING = "missing"


#: Contacts that may have one host before it says nothing about one of them.
MAX_OF_OWN_HOST = 3
_MANY_REGIONS = 2
_NO_LETTERS = re.compile(r"[^a-z]+")
_MENTIONED = re.compile(r"@(\w{3,30})")

#: The list of public suffixes that the library brings; nothing is ever fetched.
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@dataclass(frozen=True, slots=True)
class Shown:
    """What an author shows, read once and compared with every candidate."""

    words: tuple[str, ...]
    stem: str
    handle_words: tuple[str, ...]
    bio_pairs: frozenset[tuple[str, str]]
    named: Named
    links: frozenset[str]
    hosts: frozenset[str]
    phrases: tuple[str, ...] = ()
    is_without_vowels: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What a CRM knows of a contact, in the forms that are compared."""

    name: PersonName
    region: str = ""  # a code, or words where no list has it
    places: tuple[str, ...] = ()  # words by which its place is known too
    links: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Levels:
    """What a comparison found, and the words by whose rarity it counts."""

    name: NameLevel
    place: PlaceLevel
    web: WebLevel
    given: str = ""
    family: str = ""


def read_author(
    *,
    display: str,
    handle: str,
    bio: str,
    location: str,
    links: Iterable[str],
    book: RegionBook,
) -> Shown:
    """Return what an author shows, ready to be compared."""
    hosts, pages = read_links(links)
    bio_words = words(bio)
    pairs = set(pairwise(bio_words))
    for mentioned in _MENTIONED.findall(bio):
        parts = handle_words(mentioned)
        pairs.update(pairwise(parts))
    return Shown(
        words=display_words(display),
        stem=_NO_LETTERS.sub("", "".join(words(handle.partition("@")[0]))),
        handle_words=handle_words(handle),
        bio_pairs=frozenset(pairs),
        named=book.named(location=location, bio=bio, display=display, handle=handle),
        links=pages,
        hosts=hosts,
        phrases=tuple(dict.fromkeys(place_phrases(f"{location}. {bio}"))),
        is_without_vowels=is_without_vowels(display),
    )


def read_contact(
    name: str,
    *,
    family: str = "",
    region: str = "",
    city: str = "",
    links: Iterable[str] = (),
    book: RegionBook,
) -> Known:
    """Return what a CRM knows of a contact, ready to be compared."""
    hosts, pages = read_links(links)
    key = book.key(region)
    words_of_it = () if key in book.codes else (key,)
    places = tuple(place for place in (*words_of_it, fold_place(city)) if len(place) > 3)
    return Known(split_name(name, family), key, places, pages, hosts)


def split_name(name: str, family: str = "") -> PersonName:
    """Return a name whose family name may be known apart."""
    given = name.strip()
    if family and given.endswith(family):
        given = given.removesuffix(family)
        return contact_name(name, given, family) if given.strip() else contact_name(name)
    return contact_name(name)


def read_links(links: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the hosts that may be one person's, and the pages, of web addresses."""
    pages = {key for link in links if (key := link_key(link))}
    hosts = {page.partition("/")[0] for page in pages}
    return frozenset(host for host in hosts if host not in SHARED_HOSTS), frozenset(pages)


def compare(author: Shown, contact: Known, shared_hosts: Collection[str] = ()) -> Levels:
    """Return the levels at which an author and a contact agree.

    Args:
        author: What the author shows.
        contact: What the CRM knows.
        shared_hosts: Hosts that more than `MAX_OF_OWN_HOST` contacts have.

    """
    name, given = name_level(author, contact.name)
    return Levels(
        name=name,
        place=_place_level(author.named, contact),
        web=_web_level(author, contact, shared_hosts),
        given=given,
        family=contact.name.last,
    )


def _place_level(named: Named, contact: Known) -> PlaceLevel:
    region = contact.region
    if region and region in named.said | named.towns:
        is_one = len(named.said - {region}) < _MANY_REGIONS
        return PlaceLevel.AGREES if is_one else PlaceLevel.AMONG
    if any(f" {place} " in named.text for place in contact.places):
        return PlaceLevel.AGREES
    if region and region in named.hinted:
        return PlaceLevel.HINTED
    if region and named.said:
        return PlaceLevel.CONFLICT
    return PlaceLevel.MISSING


def _web_level(author: Shown, contact: Known, shared_hosts: Collection[str]) -> WebLevel:
    if not author.links or not contact.links:
        return WebLevel.MISSING
    same = author.hosts & contact.hosts
    if any("/" in page for page in author.links & contact.links):
        return WebLevel.PAGE
    if same:
        return WebLevel.SHARED_HOST if same <= set(shared_hosts) else WebLevel.HOST
    if not author.hosts or not contact.hosts:
        return WebLevel.MISSING
    mine = {organisation(host) for host in contact.hosts}
    if any(organisation(host) in mine for host in author.hosts):
        return WebLevel.SIBLING
    return WebLevel.OTHER


@lru_cache(maxsize=16384)
def organisation(host: str) -> str:
    """Return the registered domain of a host: `house.gov` for `doe.house.gov`."""
    return _SUFFIXES(host).top_domain_under_public_suffix or host
