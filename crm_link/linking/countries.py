"""The country that an author states, by ISO 3166: of the place in a profile, nothing else. Pure.

Nothing is guessed from language, name or time. What names no country for sure gives none:
a place that two countries have, a joke, a planet.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

import pycountry

from crm_link.linking.places import fold_place, region_book

#: What people call countries besides the names of ISO 3166, and capitals and cities of more than
#: two million that no other country has by that name.
_WORDS = {
    "AE": "uae, dubai",
    "AR": "buenos aires",
    "AT": "oesterreich, osterreich, wien, vienna",
    "AU": "sydney, melbourne, brisbane",
    "BE": "belgie, belgique, brussels, bruxelles",
    "BR": "brasil, sao paulo, rio de janeiro, brasilia",
    "CA": "toronto, montreal, vancouver, ottawa, calgary",
    "CH": "schweiz, suisse, svizzera, zurich, geneva, geneve",
    "CL": "santiago de chile",
    "CN": "peoples republic of china, beijing, shanghai, shenzhen",
    "CO": "bogota, medellin",
    "CZ": "czech republic, prague, praha",
    "DE": "deutschland, berlin, hamburg, munich, munchen, muenchen, cologne, koln, frankfurt",
    "DK": "danmark, copenhagen, kobenhavn",
    "EG": "cairo",
    "ES": "espana, madrid, barcelona, sevilla, spain",
    "FI": "suomi, helsinki",
    "FR": "paris, lyon, marseille",
    "GB": "uk, u k, great britain, england, scotland, wales, "
    "northern ireland, london, manchester, glasgow, edinburgh",
    "GR": "hellas, greece, athens",
    "ID": "jakarta",
    "IE": "ireland, dublin, eire",
    "IL": "tel aviv",
    "IN": "mumbai, delhi, new delhi, bangalore, bengaluru, chennai, hyderabad, kolkata, bharat",
    "IR": "iran, tehran",
    "IT": "italia, roma, milano, rome, milan",
    "JP": "tokyo, osaka, nippon",
    "KE": "nairobi",
    "KR": "south korea, seoul, korea",
    "MX": "mexico city, cdmx, ciudad de mexico",
    "MY": "kuala lumpur",
    "NG": "lagos, abuja",
    "NL": "nederland, holland, the netherlands, amsterdam, rotterdam",
    "NO": "norge, oslo",
    "NZ": "auckland, aotearoa",
    "PE": "lima, peru",
    "PH": "manila, pilipinas",
    "PK": "karachi, lahore, islamabad",
    "PL": "polska, warsaw, warszawa, krakow",
    "PT": "lisbon, lisboa",
    "RU": "russia, moscow, moskva",
    "SA": "riyadh",
    "SE": "sverige, stockholm",
    "SG": "singapore",
    "TH": "bangkok",
    "TR": "turkey, turkiye, istanbul, ankara",
    "TW": "taiwan, taipei",
    "UA": "ukraine, kyiv, kiev",
    "US": "usa, u s a, u s, us, united states of america, america, new york, nyc, los angeles, "
    "chicago, houston, san francisco, seattle, boston, miami, atlanta, dallas, "
    "philadelphia, washington dc",
    "VE": "venezuela, caracas",
    "VN": "vietnam, hanoi, ho chi minh city",
    "ZA": "johannesburg, cape town",
}  # fmt: skip

#: Names of ISO 3166 that are something else where people write their place.
_NOT_ALONE = frozenset({"georgia", "jersey", "chad", "jordan", "mali", "guinea"})

_PARTS = re.compile(r"[,/&|;•()\n]| - | and ")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_FLAG_A = 0x1F1E6
#: Countries whose states people write instead of the country.
_WITH_STATES = ("US", "CA", "AU")
_CODE = re.compile(r"^[A-Z]{2}$")


@lru_cache(maxsize=50_000)
def country_of(location: str) -> str | None:
    """Return the ISO 3166 code of the one country that a stated place names; None for none.

    A flag counts most, then a state or province at the end ("London, Ontario"), then the
    country that the parts agree on, then that of the last part.
    """
    flags = {
        "".join(chr(ord(sign) - _FLAG_A + 65) for sign in found)
        for found in _FLAG.findall(location)
    }
    if len(flags) == 1:
        [flag] = flags
        return flag if pycountry.countries.get(alpha_2=flag) else None
    parts = [part.strip() for part in _PARTS.split(location) if part.strip()]
    if not parts:
        return None
    last = parts[-1]
    state = _state(last, is_alone=len(parts) == 1)
    if state:
        return state
    found = {code for part in parts if (code := _by_word().get(fold_place(part)))}
    return found.pop() if len(found) == 1 else _by_word().get(fold_place(last))


def _state(part: str, *, is_alone: bool) -> str | None:
    """Return the country of a state or province; two letters alone may be anything."""
    word = fold_place(part)
    is_code = _CODE.match(part) is not None
    if word in _NOT_ALONE or (is_code and is_alone) or (len(word) < 4 and not is_code):
        return None
    for country in _WITH_STATES:
        if word in region_book(country).by_word:
            return country
    return None


@cache
def _by_word() -> dict[str, str]:
    """Return the country of each name; two letters are no name, because they are states too."""
    words: dict[str, str] = {}
    for country in pycountry.countries:
        for name in ("name", "common_name", "official_name"):
            word = fold_place(str(getattr(country, name, "") or ""))
            if len(word) > 2:  # two letters
                words[word] = country.alpha_2
    for code, text in _WORDS.items():
        words.update(dict.fromkeys(text.split(", "), code))
    return {word: code for word, code in words.items() if word not in _NOT_ALONE}
