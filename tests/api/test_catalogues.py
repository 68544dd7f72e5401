"""Every text of the console has its translations, and these fit."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from fastapi.testclient import TestClient

from api.console.locale.__main__ import extracted
from api.models import Role
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
