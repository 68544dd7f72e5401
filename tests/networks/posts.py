"""Made-up posts about a made-up brand: several moods and languages, the same for a seed.

Nothing here was written by a person on a platform.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOODS = ("praise", "complaint", "question", "purchase", "cancel", "service", "crisis", "neutral")
LANGUAGES = ("en", "de", "fr", "es", "ja", "ar")

_TEXTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "praise": (
            "Three weeks with the {b} {p} and I still love it {e}",
            "Shout-out to {h}: {p} arrived in {n} hours and works great. Thank you!",
            "Honestly the best {p} I have owned. {b} nailed it {e}",
        ),
        "complaint": (
            "My {b} {p} broke after {n} days. Really disappointed {e}",
            "{h} your app crashes every time I open {p}. This is awful.",
            "Paid {n} euros for a {p} that does not even switch on. Terrible, {b}.",
        ),
        "question": (
            "Does the {b} {p} work with a {n} W charger?",
            "{h} is the {p} sold in {c} too? Can't find it",
        ),
        "purchase": (
            "Thinking of buying a {b} {p} this weekend, any discount codes?",
            "Ready to order {n} {p} for our office in {c}. Who at {h} can quote?",
        ),
        "cancel": (
            "I want to cancel my {b} plan. {n} emails, no answer.",
            "{h} cancel my subscription and refund the {p}, please.",
        ),
        "service": (
            "{h} order {n}{n} has not moved since {c}. Where is my {p}?",
            "How do I reset the {p}? The {b} manual says nothing. {u}",
        ),
        "crisis": (
            "WARNING: the {b} {p} battery caught fire in {c}. Do not charge it at night! #{b}Fire",
            "So {h} knew about the burning {p} for {n} weeks and said nothing? Boycott. #{b}Fire",
            "Is it true that {b} recalls the {p}? Saw smoke coming out of mine {e} #{b}Fire",
        ),
        "neutral": (
            "{b} opens a shop in {c} next month. {u}",
            "Comparing {p}s today: {b}, and {n} others. <b>Table</b> & notes: {u}",
        ),
    },
    "de": {
        "praise": ("Der {p} von {b} ist einfach großartig, danke {h} {e}",),
        "complaint": ("Nach {n} Tagen ist mein {b} {p} kaputt. Sehr ärgerlich {e}",),
        "question": ("Gibt es den {p} von {b} auch in {c}?",),
        "cancel": ("{h} bitte kündigt endlich meinen Vertrag, das ist Mail Nummer {n}.",),
        "crisis": ("Achtung: Akku vom {b} {p} in {c} in Brand geraten! #{b}Fire",),
        "neutral": ("{b} eröffnet eine Filiale in {c}. {u}",),
    },
    "fr": {
        "praise": ("J'adore mon {p} {b}, merci {h} {e}",),
        "complaint": ("Mon {p} {b} est tombé en panne après {n} jours. Très déçue.",),
        "neutral": ("{b} ouvre une boutique à {c}. {u}",),
    },
    "es": {
        "praise": ("El {p} de {b} es una maravilla {e}",),
        "complaint": ("Mi {p} de {b} dejó de funcionar en {n} días, qué vergüenza {h}",),
        "service": ("{h} ¿dónde está mi pedido {n}{n}? Vivo en {c}",),
    },
    "ja": {
        "praise": ("{b} の {p} は最高です {e}",),
        "complaint": ("{b} の {p} が {n} 日で壊れました。残念です。",),
    },
    "ar": {
        "praise": ("أحب {p} من {b} كثيراً {e}",),
        "complaint": ("تعطل {p} من {b} بعد {n} أيام. خدمة سيئة",),
    },
}
_PRODUCTS = ("lamp", "kettle", "e-bike", "headset", "router", "smart plug", "Aurora X2", "scooter")
_CITIES = ("Lyon", "Leeds", "Graz", "Porto", "Kobe", "Austin", "Tromsø", "Łódź")
_EMOJI = ("😀", "😡", "👍", "🔥", "💔", "👩🏽‍🚀", "🇳🇴", "")
_NAMES = ("Ada", "Bo", "Chloé", "Dmitri", "Emre", "Fatima", "Günter", "Hana", "Iñaki", "李雷")
_ENDINGS = ("", "", "", " Anyone else?", " Just saying.", " #shopping", " cc @tech_digest")
_SUBREDDITS = ("smarthome", "gadgets", "ebikes", "mildlyannoying")


def made_up_posts(
    count: int,
    *,
    seed: int = 1,
    brand: str = "Nordlicht",
    handle: str = "@nordlicht",
    moods: Sequence[str] = MOODS,
    languages: Sequence[str] = ("en", "en", "en", "de", "fr", "es"),
    start: float = 0.0,
    span_s: float = 3_600.0,
    authors: int = 500,
    long_share: float = 0.02,
) -> Iterator[dict[str, Any]]:
    """Yield posts for `Control.add`, oldest first and evenly spread over `span_s`.

    Args:
        count: How many.
        seed: The same seed gives the same posts.
        brand: Named in most texts.
        handle: Named in the others.
        moods: Chosen from evenly; a mood that a language lacks becomes one that it has.
        languages: Chosen from evenly.
        start: Unix time of the first post.
        span_s: From the first post to the last.
        authors: How many different accounts write.
        long_share: Share of posts that are longer than 280 characters.
    """
    dice = random.Random(seed)
    step = span_s / max(count - 1, 1)
    for index in range(count):
        lang = dice.choice(languages)
        mood = dice.choice(moods)
        texts = _TEXTS[lang].get(mood) or dice.choice(list(_TEXTS[lang].values()))
        product, city = dice.choice(_PRODUCTS), dice.choice(_CITIES)
        text = dice.choice(texts).format(
            b=brand,
            h=handle,
            p=product,
            c=city,
            n=dice.randrange(2, 99),
            e=dice.choice(_EMOJI),
            u=f"https://news.example/{seed}/{index}",
        )
        text += dice.choice(_ENDINGS)
        if dice.random() < long_share:
            text += f" The whole story of my {product}:" + f" first {city}, then home again." * 12
        number = dice.randrange(authors)
        name = f"{_NAMES[number % len(_NAMES)]} {number}"
        yield {
            "text": text,
            "title": f"{brand} {product}: {mood} from {city}",
            "lang": lang,
            "author": f"made_up_{number}",
            "author_name": name,
            "author_bio": f"{name} of {city}. Mail {number}@people.example",
            "published_at": start + index * step,
            "place": dice.choice(_SUBREDDITS),
            "mood": mood,
        }
