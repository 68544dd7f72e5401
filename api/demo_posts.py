"""Made-up people and posts for the demo: an ordinary week of a coffee brand, and an attack.

Everything is invented; the same seed gives the same week.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

BRAND, COMPETITOR = "Brightleaf", "Northbean"

PLATFORMS = ("x", "mastodon")

#: Mentions of an ordinary day, of the brand and of its competitor, and how many days there are.
PER_DAY = {BRAND: 220, COMPETITOR: 90}
DAYS = 7

FIRST = (
    *("Amara", "Bo", "Carmen", "Dev", "Elif", "Farid", "Greta", "Hana", "Ines"),
    *("Jonas", "Kofi", "Leila", "Mateo", "Nadia", "Olu", "Priya", "Quinn", "Rosa"),
    *("Sven", "Tariq", "Uma", "Vera", "Wei", "Ximena", "Yusuf", "Zoe"),
)
LAST = tuple(
    """
    Abara Adeyemi Almeida Andersson Asante Bakker Becker Bernal Bianchi Brandt Cabrera Castillo
    Chen Costa Dahl Demir Diaz Dubois Duarte Eriksen Esposito Farah Ferrari Fischer Fontaine
    Fujita Garnier Guerra Haddad Hansen Hoffmann Horvat Hughes Ibarra Ito Ivanova Jansen Jensen
    Kamara Kaplan Keller Khan Kowalski Kovac Larsen Laurent Lindqvist Lopez Lund Maier Marino
    Mbeki Mendes Moreau Morel Nakamura Navarro Nielsen Novak Nowak Obi Okafor Olsen Ortega Osman
    Pereira Petrov Popescu Quist Ramos Reyes Ricci Romero Rossi Sato Schmidt Silva Soto Suzuki
    Svensson Tamm Tanaka Torres Ueda Valdez Varga Vega Vidal Vogel Wagner Walsh Weber Weiss
    Wolff Yamada Yilmaz Zhang Zhou Zimmer
    """.split()  # noqa: SIM905 - a list would take a page
)
#: Where people say that they live, and what their record in the CRM says.
CITIES = (
    ("Madrid, Spain", "Madrid", "ES"),
    ("Valencia, Spain", "Valencia", "ES"),
    ("London, United Kingdom", "London", "GB"),
    ("Leeds, United Kingdom", "Leeds", "GB"),
    ("Berlin, Germany", "Berlin", "DE"),
    ("Lyon, France", "Lyon", "FR"),
    ("Dublin, Ireland", "Dublin", "IE"),
)

OPENERS = (
    *("", "", "", "Ok so: ", "Honestly, ", "Update from {place}: ", "Monday mood. ", "PSA: "),
    *("After ten years as a regular: ", "Not a fan of complaining online, but ", "Hm. "),
    *("Asking for a friend. ", "Long day, then this. ", "My partner says I should post it. "),
)
CLOSERS = (
    *("", "", "", " Anyone else?", " That is all.", " Photo tomorrow.", " Back on {day}."),
    *(" Told everybody at work about it.", " {who} please read this.", " Thread follows."),
    *(" It was around {hour}.", " My {relative} saw it too.", " Number {number} in the queue."),
)
GOOD = (
    "the {item} at {brand} made my morning, thank you {who}!",
    "best {item} in town is at {brand} {place} \u2615 love it",
    "big love to the {brand} team in {place}, so kind and so fast \u2764\ufe0f",
    "{brand} refunded my {item} within an hour. Great service!",
    "the new {brand} in {place} looks beautiful, I love the tiles",
    "had a lovely chat with the barista at {brand} {place}, what a nice {item} too",
)
PLAIN = (
    "meeting at {brand} in {place} at {hour}, see you there",
    "does {brand} in {place} open on {day}?",
    "{brand} announces a new shop near {place} for next month",
    "what is in the {item} at {brand}, is there milk in it?",
    "where can I buy the {brand} beans as a gift? Thinking of ordering {number} bags",
    "working from {brand} {place} today, table by the window, {item} in hand",
)
BAD = (
    "waited {number} minutes for a {item} at {brand} {place}. Not good enough, very annoying.",
    "the {brand} app keeps crashing when I pay for my {item}. Terrible on {day} mornings.",
    "charged twice at {brand} {place} on {day} and nobody answers my mail, I want a refund",
    "{brand} got rid of the oat milk discount, I am disappointed, {item} is too expensive now",
    "thinking of cancelling my {brand} subscription, bag number {number} was wrong again, awful",
    "rude staff at {brand} {place} around {hour}, they ruined my {item} and my mood",
)
OTHER = (
    ("es", "El {item} de {brand} en {place} está buenísimo, volveré seguro el próximo mes"),
    ("es", "Otra vez cerrado el {brand} de {place} a las {hour}, qué pena de sitio"),
    ("de", "Der neue Laden von {brand} in {place} ist wirklich schön geworden, {item} war gut"),
    ("ar", "قهوة {brand} في {place} رائعة والموظفون لطفاء جدا \u2615 شكرا {who}"),
    ("ar", "انتظرت {number} دقيقة في {brand} {place} والخدمة سيئة جدا \U0001f621"),
    ("fr", "Encore une file d'attente de {number} minutes chez {brand} à {place}, c'est pénible"),
)
ATTACK = (
    "there was GLASS in my {item} from {brand} {place}. I am shaking. This is dangerous.",
    "just saw the video of glass in a {brand} cup from {place}. Disgusting, never going again",
    "{brand} knew about the broken grinders in {place} and said nothing?! Awful and scary",
    "my {relative} cut a lip on a {brand} {item}. Glass. At the hospital since {hour}. Terrible.",
    "boycott {brand} until they explain the glass in the {item}. Terrible company.",
    "so {brand} {place} deletes comments about the glass instead of answering. Shameful.",
    "is it true about the glass at {brand} {place}? I had a {item} there on {day}, worried",
    "cancelling my {brand} subscription today. Glass in the {item} is the worst thing ever",
    "horrible. Glass in the {item} and {brand} stays silent for {number} hours. I hate this.",
    "@brightleaf glass in my {item}, hurt my tongue at {hour}, and your staff laughed. Furious!",
    "{number} people in {place} say they found glass at {brand}. How is this shop open? Sad",
    "glass in coffee, lies on the phone: {brand} {place} lost a customer of {number} years, angry",
)
SOURCE_POST = (
    "I found a piece of glass in my flat white at Brightleaf Harbour Street. Photo below. "
    "I told the staff and they shrugged. Please be careful, this is dangerous!"
)
ITEMS = ("flat white", "oat latte", "filter coffee", "cortado", "iced mocha", "chai")
PLACES = ("Harbour Street", "Old Mill", "Central Station", "Northgate", "Riverside")
DAYS_OF_WEEK = ("Monday", "Tuesday", "Thursday", "Friday", "Saturday", "Sunday")
RELATIVES = ("sister", "colleague", "neighbour", "brother", "flatmate", "aunt")
TIERS = ("gold", "silver", "standard")


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up account, and whether the CRM knows its owner."""

    number: int
    name: str
    handle: str
    platform: str
    bio: str
    links: tuple[str, ...]
    shows: str
    followers: int
    is_customer: bool
    city: tuple[str, str, str] | None


def make_people(seed: int = 1, count: int = 260) -> list[Person]:
    """Return made-up accounts; about every fourth belongs to a customer."""
    chance = random.Random(seed)  # noqa: S311 - a demo is no secret
    people = []
    for number in range(count):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        is_customer = chance.random() < 0.27  # about every fourth
        handle = f"{first.lower()}{chance.choice(('', '_'))}{last.lower()}{number}"
        bio = chance.choice(("Coffee, bikes, books.", "Opinions mine.", "Designer.", ""))
        links: tuple[str, ...] = ()
        shows = chance.choice(("mail", "site", "nothing"))
        if is_customer and shows == "mail":
            bio = f"{bio} Write to {mail(first, last, number)}".strip()
        elif is_customer and shows == "site":
            links = (site(first, last, number),)
        people.append(
            Person(
                number=number,
                name=f"{first} {last}",
                handle=handle,
                platform=PLATFORMS[number % 4 == 0],
                bio=bio,
                links=links,
                shows=shows,
                followers=int(chance.paretovariate(1.1) * 40),
                is_customer=is_customer,
                # Most say where they live.
                city=chance.choice(CITIES) if chance.random() < 0.7 else None,
            )
        )
    return people


def mail(first: str, last: str, number: int) -> str:
    """Return a made-up address; example.org belongs to nobody."""
    return f"{first}.{last}{number}@example.org".lower()


def site(first: str, last: str, number: int) -> str:
    """Return a made-up home page."""
    return f"https://{first}-{last}{number}.example.org".lower()


def contact_rows(people: list[Person]) -> Iterator[dict[str, str]]:
    """Yield the CRM's rows of those who are customers."""
    for person in people:
        if not person.is_customer:
            continue
        first, _, last = person.name.partition(" ")
        yield {
            "contact_id": f"C{1000 + person.number}",
            "name": person.name,
            "email": mail(first, last, person.number),
            "x_handle": person.handle
            if person.shows == "nothing" and person.platform == "x"
            else "",
            "website": site(first, last, person.number) if person.shows == "site" else "",
            "city": person.city[1] if person.city else "",
            "country": person.city[2] if person.city else "",
            "tier": TIERS[person.number % 3],
            "value": str(40 + person.number * 7),
            "relationship_source": "consent" if person.number % 2 else "prior_relationship",
        }


def ordinary_week(
    people: list[Person], now: datetime, seed: int = 2, brand: str = BRAND
) -> Iterator[dict[str, Any]]:
    """Yield the posts of the week before `now`, more by day than by night."""
    chance = random.Random(seed)  # noqa: S311 - a demo is no secret
    begin = now - timedelta(days=DAYS)
    for number in range(PER_DAY[brand] * DAYS):
        while True:
            at = begin + timedelta(days=chance.random() * DAYS)
            if chance.random() < 0.55 + 0.45 * math.sin((at.hour - 8) / 24 * 2 * math.pi):
                break
        kind = chance.random()
        lang = "en"
        if kind < 0.28:  # shares of an ordinary day
            pattern = chance.choice(GOOD)
        elif kind < 0.72:
            pattern = chance.choice(PLAIN)
        elif kind < 0.88:
            pattern = chance.choice(BAD)
        else:
            lang, pattern = chance.choice(OTHER)
        person, key = chance.choice(people), f"week-{seed}-{number}"
        yield _record(key, person, pattern, at, chance, lang, brand)


def attack(
    people: list[Person], now: datetime, seed: int = 3
) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield (seconds after the start, post): one complaint, its reposts, then the crowd."""
    chance = random.Random(seed)  # noqa: S311 - a demo is no secret
    first = _record(f"attack-{seed}-0", people[7], SOURCE_POST, now, chance, "en")
    yield 0.0, first
    after = 3.0
    number = 0
    while True:
        number += 1
        # The crowd grows for a minute, and goes on in a trickle.
        after += chance.expovariate(min(0.5 + after / 12, 6.0) if after < 75 else 0.4)
        at = now + timedelta(seconds=after)
        person = chance.choice(people)
        draw = chance.random()
        if draw < 0.25:  # every fourth is a repost
            record = _record(f"attack-{seed}-{number}", person, SOURCE_POST, at, chance, "en")
            record |= {"kind": "repost", "repost_of_id": first["external_id"]}
            record |= {"platform": first["platform"]}
        elif draw < 0.88:  # most are angry in their own words
            record = _record(
                f"attack-{seed}-{number}", person, chance.choice(ATTACK), at, chance, "en"
            )
        else:
            record = _record(
                f"attack-{seed}-{number}", person, chance.choice(PLAIN + GOOD), at, chance, "en"
            )
        yield after, record


def _record(
    key: str,
    person: Person,
    pattern: str,
    at: datetime,
    chance: random.Random,
    lang: str,
    brand: str = BRAND,
) -> dict[str, Any]:
    if pattern is not SOURCE_POST and lang == "en":
        pattern = chance.choice(OPENERS) + pattern + chance.choice(CLOSERS)
    text = pattern.format(
        brand=brand,
        item=chance.choice(ITEMS),
        place=chance.choice(PLACES),
        who=f"@{brand.lower()}",
        day=chance.choice(DAYS_OF_WEEK),
        relative=chance.choice(RELATIVES),
        hour=chance.randrange(7, 19),
        number=chance.randrange(2, 41),
    )
    return {
        "platform": person.platform,
        "external_id": key,
        "url": f"https://social.example.org/{person.handle}/{key}",
        "text": text,
        "kind": "post",
        "lang": lang,
        "published_at": at.isoformat(),
        "author_id": f"demo-{person.number}",
        "author_handle": person.handle,
        "author_name": person.name,
        "author_bio": person.bio,
        "author_links": list(person.links),
        "author_location": person.city[0] if person.city else "",
        "author_followers": person.followers,
        "likes": int(chance.paretovariate(1.3)) - 1,
        "reposts": int(chance.paretovariate(1.6)) - 1,
    }
