"""A link's two sides beside each other, as the page for deciding shows them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from config.phrases import Phrase, phrase
from crm_link.models import IdentityLink

#: What each kind of evidence is about, in people's words.
_TITLES = {
    "crm_handle": phrase("Account"),
    "email": phrase("E-mail"),
    "phone": phrase("Phone"),
    "verified_link": phrase("Verified link"),
    "profile_link": phrase("Web site"),
    "location": phrase("Place"),
    "name": phrase("Name"),
}

#: Where something of an author's was found.
PLACES = (phrase("bio"), phrase("text"))

#: What a level says, in people's words.
_LEVELS = {
    "full": phrase("the same"),
    "nick": phrase("a short or other form"),
    "fuzzy": phrase("written a little differently"),
    "initial": phrase("the same initial"),
    "handle_full": phrase("the same, in the handle"),
    "handle_nick": phrase("a short form, in the handle"),
    "handle_family": phrase("the family name, in the handle"),
    "family": phrase("the family name"),
    "conflict": phrase("different"),
    "given": phrase("the given name only"),
    "none": phrase("different"),
    "agrees": phrase("the same"),
    "among": phrase("one of several"),
    "hinted": phrase("perhaps the same"),
    "page": phrase("the same page"),
    "host": phrase("the same site"),
    "shared_host": phrase("a site that many have"),
    "sibling": phrase("another person's page on the site"),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One thing that was compared.

    Args:
        title: What it is: `Name`, `Place`, ...
        author: What the author shows.
        contact: What the CRM holds.
        verdict: How far they agree, in words.
        weight_bits: What it weighs; below 0 it speaks against.

    """

    title: str
    author: str
    contact: str
    verdict: str
    weight_bits: float


def title_of(kind: str) -> str:
    """Return what a kind of evidence is about."""
    return _TITLES.get(kind, kind)


def level_words(kind: str, level: str) -> str:
    """Return how far a name, a place or a site agrees; empty if nothing is said."""
    if kind == "name" and level == "other":
        return phrase("the family name, beside another word")
    if kind == "profile_link" and level == "other":
        return phrase("another site")
    return _LEVELS.get(level, "")


def side_by_side(link: IdentityLink) -> list[Comparison]:
    """Return what was compared, most telling first; `link` has author and contact loaded."""
    found = [
        Comparison(
            title=title_of(item["kind"]),
            author=_of_author(link, item["kind"], item["source"]),
            contact=_of_contact(link, item["kind"]),
            verdict=level_words(item["kind"], item.get("level", "")) or phrase("the same"),
            weight_bits=float(item["weight_bits"]),
        )
        for item in link.evidence
    ]
    return sorted(found, key=lambda one: -abs(one.weight_bits))


def _of_author(link: IdentityLink, kind: str, source: str) -> str:
    author = link.author
    if kind == "name":
        return " / ".join(filter(None, (author.name, author.handle and f"@{author.handle}")))
    if kind == "location":
        return author.location or phrase("in the bio")
    if kind == "crm_handle":
        return f"@{author.handle}" if author.handle else source
    if kind in {"profile_link", "verified_link"}:
        return ", ".join((*author.verified_links, *author.links)[:3])
    return phrase("in the %(source)s", source=Phrase(source, {}))


def _of_contact(link: IdentityLink, kind: str) -> str:
    contact = link.contact
    if kind == "name":
        return contact.name
    if kind == "location":
        places = (contact.fields.get("city"), contact.fields.get("region"))
        return ", ".join(str(place) for place in places if place)
    listed = {
        "crm_handle": contact.handles,
        "email": contact.emails,
        "phone": contact.phones,
        "profile_link": contact.links,
        "verified_link": contact.links,
    }
    return ", ".join(listed.get(kind, [])[:3])
