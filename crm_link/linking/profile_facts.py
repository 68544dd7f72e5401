"""What a profile and texts show of their author: values and words to compare. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from crm_link.context import LinkContext
from crm_link.linking.extract import emails_in, phones_in, says_own
from crm_link.linking.facts import AuthorFacts, Fact, Profile
from crm_link.linking.keys import (
    KeyKind,
    handle_key,
    host_key,
    link_key,
    name_key,
    normalise_email,
    normalise_phone,
)
from crm_link.linking.levels import Shown, read_author
from crm_link.linking.names import name_tokens
from crm_link.linking.places import RegionBook

#: Values from texts that are kept of one author: who posts more posts lists.
MAX_TEXT_FACTS = 20

#: Characters that are read of a profile: platforms allow less (names 30 to 640, bios 160 to 500),
#: feeds anything. Names are split and permuted, so that a longer one would cost minutes.
MAX_NAME = 200
MAX_BIO = 5_000
MAX_LINKS = 50

_SEVEN_DIGITS = re.compile(r"(?:\d[^\d]{0,3}){7}")
_BSKY = ".bsky.social"


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text that an author wrote."""

    mention_id: int
    text: str


def read_facts(
    profile: Profile, own: Iterable[OwnText], context: LinkContext, book: RegionBook
) -> AuthorFacts:
    """Return what an author shows in the profile and in own texts."""
    profile = _bounded(profile)
    found = (*_profile_facts(profile, context), *text_facts(own, context))
    return AuthorFacts(
        author_id=profile.author_id,
        platform=profile.platform,
        handle=profile.handle,
        name=profile.name,
        location=profile.location,
        facts=tuple(dict.fromkeys(found)),
        shown=read_shown(profile, book),
    )


def _bounded(profile: Profile) -> Profile:
    """Return a profile of which no more is read than people write."""
    return replace(
        profile,
        handle=profile.handle and profile.handle[:MAX_NAME],
        name=profile.name and profile.name[:MAX_NAME],
        bio=profile.bio and profile.bio[:MAX_BIO],
        location=profile.location and profile.location[:MAX_NAME],
        links=profile.links[:MAX_LINKS],
        verified_links=profile.verified_links[:MAX_LINKS],
    )


def read_shown(profile: Profile, book: RegionBook) -> Shown:
    """Return name, places and links of a profile in the forms that are compared."""
    return read_author(
        display=profile.name or "",
        handle=profile.handle or "",
        bio=profile.bio or "",
        location=profile.location or "",
        links=(*profile.verified_links, *profile.links),
        book=book,
    )


def _profile_facts(profile: Profile, context: LinkContext) -> Iterator[Fact]:
    platform = profile.platform
    handle = handle_key(platform, profile.handle) if profile.handle else None
    if handle:
        yield Fact(KeyKind.HANDLE, handle, "handle")
    account = handle_key(platform, profile.external_id)
    if account and account != handle:
        yield Fact(KeyKind.HANDLE, account, "account id")
    if profile.name and len(name_tokens(profile.name)) > 1 and (name := name_key(profile.name)):
        yield Fact(KeyKind.NAME, name, "profile")
    if profile.bio:
        yield from _found_in(profile.bio, "bio", None, context)
    yield from _link_facts(profile, context)


def _link_facts(profile: Profile, context: LinkContext) -> Iterator[Fact]:
    verified = list(profile.verified_links)
    handle = profile.handle
    if profile.platform == "bluesky" and handle and not handle.endswith(_BSKY):
        verified.append(handle)  # a domain as handle is proved to Bluesky by DNS
    seen: set[str] = set()
    for links, is_verified in ((verified, True), (profile.links, False)):
        for link in links:
            if link.startswith(("mailto:", "tel:")):
                yield from _contact_link(link, context)
                continue
            for key in (link_key(link), host_key(link)):
                if key and key not in seen:
                    seen.add(key)
                    yield Fact(KeyKind.LINK, key, "profile link", is_verified=is_verified)


def _contact_link(link: str, context: LinkContext) -> Iterator[Fact]:
    scheme, _, value = link.partition(":")
    if scheme == "mailto":
        kind, key = KeyKind.EMAIL, normalise_email(value.partition("?")[0])
    else:
        kind, key = KeyKind.PHONE, normalise_phone(value, context.country)
    if key:
        yield Fact(kind, key, "profile link")


def text_facts(texts: Iterable[OwnText], context: LinkContext) -> Iterator[Fact]:
    """Yield the addresses and numbers in texts, each value once."""
    seen: set[str] = set()
    for item in texts:
        for fact in _found_in(item.text, f"mention {item.mention_id}", item.mention_id, context):
            if fact.value not in seen:
                seen.add(fact.value)
                yield fact
            if len(seen) == MAX_TEXT_FACTS:
                return


def _found_in(
    text: str, source: str, mention_id: int | None, context: LinkContext
) -> Iterator[Fact]:
    found: list[tuple[KeyKind, str, int]] = []
    if "@" in text:
        found.extend((KeyKind.EMAIL, value, at) for value, at in emails_in(text).items())
    if _SEVEN_DIGITS.search(text):
        phones = phones_in(text, context.country)
        found.extend((KeyKind.PHONE, value, at) for value, at in phones.items())
    for kind, value, place in found:
        is_third_party = mention_id is not None and not says_own(text, place)
        yield Fact(kind, value, source, mention_id, is_third_party=is_third_party)
