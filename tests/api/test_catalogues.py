"""Every text of the console has its translations, and these fit."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from fastapi.testclient import TestClient

from api.console.locale.__main__ import extracted
from api.models import Role
from config.former_phrases import WITHOUT_PLURALS
from config.language import LANGUAGES, SOURCE, catalogue_path
from tests.api.conftest import SignIn
from tests.api.scene import Scene

#: What is filled in or shown as it is: `%(name)s`, `%%`, tags.
_FIXED = re.compile(r"%\(\w+\)s|%%|</?\w+[^>]*>")

TRANSLATED = [name for name in LANGUAGES if name != SOURCE]


def _read(name: str) -> Catalog:
    with catalogue_path(name).open("rb") as file:
        return read_po(file, locale=name)


def _forms(text: object) -> list[str]:
    return [text] if isinstance(text, str) else [str(form) for form in text]  # type: ignore[attr-defined]


def _is_there(catalogue: Catalog, message: Message) -> bool:
    found = catalogue.get(message.id, message.context)
    return found is not None and not found.fuzzy and all(_forms(found.string))


def _fits(message: Message) -> bool:
    # Of one thing a text may leave the number out.
    wanted = set(_FIXED.findall(_forms(message.id)[-1]))
    forms = _forms(message.string)
    return set(_FIXED.findall(forms[-1])) == wanted and all(
        set(_FIXED.findall(form)) <= wanted and "%" not in _FIXED.sub("", form) for form in forms
    )


@pytest.fixture(scope="module")
def texts() -> Catalog:
    return extracted()


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_text_has_its_translation(name: str, texts: Catalog) -> None:
    catalogue = _read(name)

    missing = [message.id for message in texts if message.id and not _is_there(catalogue, message)]

    assert missing == [], "bring the catalogues up: python -m api.console.locale"


@pytest.mark.parametrize("name", TRANSLATED)
def test_no_translation_is_of_a_text_that_is_gone(name: str, texts: Catalog) -> None:
    gone = [one.id for one in _read(name) if one.id and texts.get(one.id, one.context) is None]

    assert gone == [], "bring the catalogues up: python -m api.console.locale"


@pytest.mark.parametrize("name", TRANSLATED)
def test_placeholders_and_tags_are_those_of_the_text(name: str) -> None:
    wrong = [message.id for message in _read(name) if message.id and not _fits(message)]

    assert wrong == []


#: A number before what it counts.
_COUNTS = re.compile(
    r"%\((?!most|least|max_|min_)\w+\)s (?:\w+ )?"
    r"(?:accounts|alerts|attempts|bytes|calls|characters|columns|contacts|days|"
    r"entries|figures|findings|followers|gaps|incidents|likes|links|mentions|messages|minutes|"
    r"people|points|posts|records|replies|requests|rows|searches|seconds|sources|statements|"
    r"terms|things|times|topics|views|weeks|words)\b"
)

#: Texts with such a number and one form, because it is never one there; limits are left out.
NEVER_ONE = frozenset(
    {
        *WITHOUT_PLURALS,
        "more negative mentions each day, %(number)s days in a row",
        # Numbers of ours.
        (
            "E-mail address or password is wrong, or the account is locked for %(minutes)s minutes "
            "after %(number)s wrong passwords."
        ),
        "New password, at least %(number)s characters",
        "Of the newest %(number)s posts.",
        (
            "The measured rate of the last %(days)s days, times the share that the preview says. "
            "X: $%(post)s a post and up to $%(author)s for its author, as the settings "
            "GROUNDSWELL_X_PRICE_POST and GROUNDSWELL_X_PRICE_AUTHOR say; X changes its prices, "
            "its developer console has the bill."
        ),
        (
            "Windows of more than %(number)s mentions are counted in the background. The figures "
            "stand here as soon as they are there, by themselves."
        ),
        "a silence lasts %(days)s days at most, so that none is forgotten",
        (
            "a window of so many mentions is counted in the background; ask again in %(seconds)s "
            "seconds"
        ),
        "an action can be undone for %(minutes)s minutes; change it by hand now",
        "in the newest stored mentions of the last %(days)s days",
        "snooze for %(days)s days at most",
        (
            "%(level)s's last step comes after %(after)s, later than %(limits)s times its ack of "
            "%(ack)s"
        ),
        # More than a limit, or only said of several.
        "%(count)s alerts: %(title)s",
        "%(left)s of %(all)s calls (%(limit)s) are left, kept for the account's other programs",
        "%(number)s mentions are too many at once; at most %(max_at_once)s",
        "%(times)s times an ordinary hour, which has %(usual)s",
        "'%(key)s' has %(filled)s characters now; %(channel)s takes %(most)s",
        "'%(part)s' is written %(count)s times: once is enough",
        "(%(number)s times in a row)",
        "All %(number)s entries",
        (
            "Network of %(number)s accounts that post the same within a minute; the table below "
            "says the same"
        ),
        "Show all %(number)s characters",
        (
            "the query becomes %(number)s searches on %(dialect)s, and at most %(max_texts)s are "
            "made: remove alternatives, or shorten what they share"
        ),
        (
            "the query has %(number)s characters, and at most %(most)s are allowed: shorten it, or "
            "divide it between several brands"
        ),
        "this has %(length)s characters, and %(channel)s takes %(most)s",
        # A sum of three things.
        "%(number)s likes, reposts and replies",
    }
)


def test_what_counts_things_has_plural_forms(texts: Catalog) -> None:
    found = {one.id for one in texts if isinstance(one.id, str) and _COUNTS.search(one.id)}

    assert sorted(found - NEVER_ONE) == [], "ngettext and nphrase: docs/translating.md"
    assert sorted(NEVER_ONE - found - {*WITHOUT_PLURALS}) == []


def test_pages_are_in_the_readers_language(
    client: TestClient, sign_in: SignIn, scene: Scene
) -> None:
    spanish = {"Accept-Language": "es-MX"}
    assert "Correo electrónico" in client.get("/sign-in", headers=spanish).text

    reader = sign_in(Role.ADMIN)
    pages = {"/queue": "Cola", "/users": "Equipos", "/admin/system": "Lo que espera"}
    for path, word in pages.items():
        assert word in reader.get(path, headers=spanish).text
        assert word not in reader.get(path).text
    assert "hace 11 min" in reader.get(f"/mentions/{scene.first}", headers=spanish).text
