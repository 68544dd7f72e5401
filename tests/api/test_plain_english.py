"""Nothing that people read is plain English: in no template, and on no page in Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from fastapi.testclient import TestClient

from api.models import Role
from api.pages import templates
from api.reports.render import environment
from config.language import catalogue_path
from tests.api.conftest import SignIn
from tests.api.plain_english import Reading, plain_lines, plain_texts
from tests.api.scene import Scene
from tests.browser.test_every_page import PATHS

CONSOLE = Path(__file__).parents[2] / "api" / "console" / "templates"

REPORTS = CONSOLE.parents[1] / "reports" / "templates"

#: Pages that only somebody with a link sees, and those that are heavy to set up for a browser.
MORE_PATHS = (
    "/sign-in",
    "/mentions/{first}/why",
    "/incidents/{incident}/why",
    "/mentions?since=2026-01-01T00:00:00Z&until=2026-12-01T00:00:00Z&topic=glass",
    "/queue?state=snoozed",
    "/links/decided",
    "/incidents?status=open",
    "/reports/weekly?brand=acme",
    "/reports/responses?brand=acme",
)

#: Names in the scene and the protocol that are also words of the console.
NAMES = frozenset({"Admin", "Holding statement"})

#: Words of which a text with a value in it must have so many, or anything would be one.
LEAST_WORDS = 2


@pytest.mark.parametrize("path", sorted(CONSOLE.glob("*.html")), ids=lambda path: path.name)
def test_a_template_says_nothing_but_what_is_looked_up(path: Path) -> None:
    found = plain_texts(templates.env, path.read_text("utf-8"))

    assert found == [], "look it up: docs/translating.md"


@pytest.mark.parametrize("path", sorted(REPORTS.glob("*.j2")), ids=lambda path: path.name)
def test_a_template_of_a_report_says_nothing_but_what_is_looked_up(path: Path) -> None:
    finder = plain_texts if ".html" in path.name else plain_lines

    found = finder(environment(), path.read_text("utf-8"))

    assert found == [], "look it up: docs/translating.md"


@pytest.mark.parametrize("path", sorted(CONSOLE.glob("*.html")), ids=lambda path: path.name)
def test_a_template_writes_no_number_in_the_english_way(path: Path) -> None:
    """A point before the decimals is English: the filter `decimal` knows the reader."""
    assert re.findall(r'"%[\d.,]*\.\d+f"|\{:[,.]', path.read_text("utf-8")) == []


def test_the_finder_finds_texts_attributes_and_constants() -> None:
    source = """
    {% import "parts.html" as parts %}<p title="Two words">Posts {{ number }}<code>run it</code></p>
    {{ "is well" if number else "" }}{{ parts.select("a", "Brand", [], "") }}{{ _("Known") }}
    """

    found = plain_texts(templates.env, source)

    assert found == ["Two words", "Posts", "is well", "Brand"]


@pytest.fixture(scope="module")
def english() -> list[re.Pattern[str]]:
    """Give what the English texts that Spanish says otherwise look like on a page."""
    return list(_patterns())


def test_no_page_in_spanish_has_an_english_text(
    sign_in: SignIn, scene: Scene, english: list[re.Pattern[str]]
) -> None:
    reader = sign_in(Role.ADMIN)
    whole = re.compile("|".join(f"(?:{one.pattern})" for one in english))

    left = {
        address: found
        for address in (path.format_map(vars(scene)) for path in (*PATHS, *MORE_PATHS))
        if (found := [text for text in _read(reader, address) if whole.fullmatch(text)])
    }

    assert left == {}


def _read(reader: TestClient, address: str) -> list[str]:
    answer = reader.get(address, headers={"Accept-Language": "es"})
    assert 'lang="es"' in answer.text or "<html" not in answer.text, address
    reading = Reading(as_it_is=("code", "kbd", "script", "style", "bdi", "blockquote"))
    reading.feed(answer.text)
    reading.close()
    return [" ".join(text.split()) for text in reading.texts if text.strip() not in NAMES]


def _patterns() -> Iterator[re.Pattern[str]]:
    with catalogue_path("es").open("rb") as file:
        catalogue = read_po(file, locale="es")
    for message in catalogue:
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        said = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
        for text in ids:
            if text and text not in said:
                yield from _parts(text)


def _parts(text: str) -> Iterator[re.Pattern[str]]:
    """Yield what stands between the tags of a text, with anything for its values."""
    for part in re.split(r"</?\w+[^>]*>", text):
        words = re.findall(r"[A-Za-z]{2,}", re.sub(r"%\(\w+\)s", " ", part))
        if len(words) < (LEAST_WORDS if part != text or "%(" in part else 1):
            continue
        pieces = re.split(r"%\(\w+\)s", " ".join(part.split()))
        yield re.compile(".+?".join(re.escape(one.replace("%%", "%")) for one in pieces))
