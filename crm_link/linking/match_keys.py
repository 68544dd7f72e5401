"""Name keys: the forms of a name under which a contact is kept and an author looks it up.

A key is a short text with its kind in front: `f|jane|doe` (given and family name),
`n|sukarno` (a name of one word), `h|janedoe` (as handles are written), `c|mhmd|l`
(consonants), `p|JN|T` (by sound), `i|j|doe` (initial), `s|doe` (family name alone),
`l|jane|doe|US-OH` (with the region, for names that too many have), `r|` (a region's
words), `w|` (a web host). Contacts have about nine. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import permutations

from crm_link.linking.given_names import is_given_name, related_names
from crm_link.linking.levels import Known, Shown
from crm_link.linking.person_names import (
    ARTICLES,
    PersonName,
    display_words,
    handle_words,
    skeleton,
    words,
)
from crm_link.linking.sounds import sound

#: Keys of one contact and of one author, at most.
MAX_CONTACT_KEYS = 24
MAX_AUTHOR_KEYS = 160

#: Contacts that are looked at for one key and for one author, at most. A key that more
#: have (a common family name) says too little alone.
MAX_PER_KEY = 40
MAX_PER_AUTHOR = 80
#: Regions of one author that names are looked up with.
MAX_REGIONS = 3

#: Kinds of name keys, the most telling first.
_ORDER = "fnhcpis"

_MIN_STEM = 4
#: What somebody stands for, in a handle: `doefortexas`.
_CAUSE = re.compile(r"([a-z]{3,}?)for[a-z]{4,}$")
_NO_LETTERS = re.compile(r"[^a-z]+")


def hash_key(key: str) -> int:
    """Return a key as a signed 64-bit number, which indexes keep in eight bytes."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def contact_match_keys(known: Known) -> set[str]:
    """Return all keys by which a contact is looked up beside e-mail, phone, handle and link."""
    found = contact_name_keys(known.name)
    if known.region and known.name.family:
        found.add(f"l|{known.name.first}|{known.name.last}|{known.region}")
    found.update(f"w|{host}" for host in known.hosts)
    # A region that a list knows has too many people in it to look anybody up by.
    if known.region and known.region in known.places:
        found.add(f"r|{known.region}")
    return found


def author_keys(shown: Shown, display: str, handle: str) -> list[str]:
    """Return the keys under which an author's contact may be, best first."""
    names = author_name_keys(display, handle)
    regions = sorted(shown.named.said | shown.named.towns)[:MAX_REGIONS]
    found = [f"w|{host}" for host in sorted(shown.hosts)]
    found.extend(f"l|{key[2:]}|{region}" for key in names if key[0] == "f" for region in regions)
    found.extend(names)
    found.extend(f"r|{phrase}" for phrase in shown.phrases)
    return found


def contact_name_keys(name: PersonName) -> set[str]:
    """Return the name keys of a contact."""
    if not name.family:
        return {f"n|{name.last or word}" for word in name.given} if name.given else set()
    families = _families(name)
    givens = [word for word in name.given if len(word) > 1][:3] or list(name.given[:1])
    found: list[str] = []
    first = name.first
    for family in families:
        found.append(f"s|{family}")
        if first:
            found.append(f"i|{first[0]}|{family}")
            found.append(f"h|{first[0]}{family}")
        for given in givens:
            found.append(f"f|{given}|{family}")
            found.append(f"h|{given}{family}")
        if first and len(first) > 1:
            found.append(f"p|{sound(first)}|{sound(family)}")
            found.append(f"c|{skeleton(first)}|{skeleton(family)}")
    return set(found[:MAX_CONTACT_KEYS])


def _families(name: PersonName) -> list[str]:
    """Return the family name in one word, and each of its words where there are two."""
    found = [name.last]
    if len(name.family) > 1:
        found.extend(word for word in (name.family[-1], name.family[0]) if len(word) > 3)
    elif len(name.given) > 1 and len(name.given[-1]) > 3:
        found.append(name.given[-1])  # García in `Gabriel García Márquez`
    return list(dict.fromkeys(found))


def author_name_keys(display: str, handle: str) -> dict[str, None]:
    """Return the name keys under which an author's contact may be, best first."""
    shown = display_words(display)
    parts = handle_words(handle)
    found: dict[str, None] = {}
    for source in (shown, parts):
        found.update(dict.fromkeys(_pair_keys(source)))
    found.update(dict.fromkeys(_stem_keys(shown, handle)))
    for word in (*shown, *parts):
        found[f"n|{word}"] = None
        if len(word) > 2:
            found[f"s|{word}"] = None
    if len(shown) > 1:
        found[f"n|{''.join(shown)}"] = None
    ordered = sorted(found, key=lambda key: _ORDER.index(key[0]))
    return dict.fromkeys(ordered[:MAX_AUTHOR_KEYS])


def _pair_keys(found: tuple[str, ...]) -> Iterator[str]:
    """Yield the keys of each two words, in both orders, nearest first."""
    if len(found) < 2:
        return
    pairs = sorted(permutations(range(len(found)), 2), key=lambda p: (abs(p[0] - p[1]), p))
    for first, last in pairs[:20]:
        given, family = found[first], found[last]
        if len(family) < 2:
            continue
        yield f"f|{given}|{family}"
        for other in sorted(related_names(given)):
            yield f"f|{other}|{family}"
    for first, last in pairs[:12]:
        given, family = found[first], found[last]
        if len(family) < 2:
            continue
        yield f"i|{given[0]}|{family}"
        yield f"p|{sound(given)}|{sound(family)}"
        yield f"c|{skeleton(given)}|{skeleton(family)}"
    yield from _joined_keys(found)


def _joined_keys(found: tuple[str, ...]) -> Iterator[str]:
    """Yield the keys of family names that are two words: Wasserman Schultz, Van Drew, Al-Ahmad."""
    for at in range(len(found) - 1):
        family = found[at] + found[at + 1]
        yield f"s|{family}"
        if at:
            yield f"f|{found[0]}|{family}"
            for other in sorted(related_names(found[0])):
                yield f"f|{other}|{family}"
            if found[at] in ARTICLES:
                yield f"c|{skeleton(found[0])}|{skeleton(family)}"


def _stem_keys(shown: Iterable[str], handle: str) -> Iterator[str]:
    """Yield the keys of a handle as one word, whole and without what is put before and after."""
    stem = _NO_LETTERS.sub("", "".join(words(handle.partition("@")[0])))
    stems = [stem, "".join(handle_words(handle)), "".join(shown)]
    for one in dict.fromkeys(stems):
        if len(one) < _MIN_STEM:
            continue
        yield f"h|{one}"
        yield from _split_keys(one)
        if match := _CAUSE.match(one):
            yield f"s|{match[1]}"


def _split_keys(stem: str) -> Iterator[str]:
    """Yield the keys of a handle that begins or ends with a known given name."""
    for at in range(2, len(stem) - 1):
        for given, family in ((stem[:at], stem[at:]), (stem[at:], stem[:at])):
            if len(family) > 2 and is_given_name(given):
                yield f"f|{given}|{family}"
                for other in sorted(related_names(given)):
                    yield f"f|{other}|{family}"
