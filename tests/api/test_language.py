"""Pages in the reader's language and time zone."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.language import negotiated, reading_as
from api.models import Role
from api.pages import templates
from tests.api.conftest import SignIn
from tests.api.scene import Scene


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("de,fr;q=0.9", "en"),
        ("en-GB;q=0.2, es-ES;q=0.7", "es"),
        ("es;q=0, en", "en"),
        ("es;q=high", "en"),
        ("*", "en"),
    ],
)
def test_the_language_is_what_the_browser_likes_best(asked: str, language: str) -> None:
    assert negotiated(asked) == language


def test_a_page_says_its_language(client: TestClient) -> None:
    page = client.get("/sign-in", headers={"Accept-Language": "es-MX,es;q=0.9"})

    assert '<html lang="es"' in page.text
    assert '<html lang="en"' in client.get("/sign-in").text


def test_a_users_choice_wins_over_the_browsers(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    client.post("/account/reading", data={"language": "es", "zone": "Europe/Madrid"})
    page = client.get("/queue", headers={"Accept-Language": "en"}).text

    assert '<html lang="es" data-zone="Europe/Madrid">' in page


def test_times_are_shown_in_the_zone_that_was_chosen(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.VIEWER)
    path = f"/mentions/{scene.first}"
    assert "4 Mar 2026, 11:49 UTC" in client.get(path).text

    client.post("/account/reading", data={"zone": "Asia/Tokyo"})

    assert "4 Mar 2026, 20:49" in client.get(path).text


def test_the_browsers_zone_holds_until_one_is_chosen(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)
    assert "data-asks-zone" in client.get("/queue").text

    client.post("/account/zone", data={"zone": "America/Bogota"})
    assert 'data-zone="America/Bogota" data-asks-zone' in client.get("/queue").text

    client.post("/account/reading", data={"zone": "UTC"})
    assert 'data-zone="UTC">' in client.get("/queue").text


def test_a_zone_or_language_that_does_not_exist_is_refused(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    assert client.post("/account/reading", data={"zone": "Mars/Olympus"}).status_code == 422
    assert client.post("/account/reading", data={"language": "xx"}).status_code == 422
    assert client.post("/account/zone", data={"zone": "../etc/passwd"}).status_code == 204
    assert 'data-zone="UTC"' in client.get("/queue").text


@pytest.mark.parametrize(
    ("language", "template", "said"),
    [
        ("en", '{{ _("Queue") }}', "Queue"),
        ("es", '{{ _("Queue") }}', "Cola"),
        ("es", "{% trans %}Queue{% endtrans %}", "Cola"),
        ("es", '{{ pgettext("to a contact", "Link") }}', "Vincular"),
        ("en", '{{ _("100 %%") }}', "100 %"),
        ("en", '{{ _("by %(name)s", name="<b>") }}', "by &lt;b&gt;"),
        ("en", '{{ _("by %(name)s", name="<b>" | safe) }}', "by <b>"),
        ("en", '{{ ngettext("%(num)s reply", "%(num)s replies", 2) }}', "2 replies"),
        ("es", '{{ ngettext("%(num)s reply", "%(num)s replies", 1) }}', "1 respuesta"),
        ("en", '{{ npgettext("a", "%(n)s x", "%(n)s y", 2, n="&") }}', "&amp; y"),
        ("en", '<p title="{{ _(name) }}">', '<p title="a&b">'),
    ],
)
def test_templates_say_texts_with_their_values_escaped(
    language: str, template: str, said: str
) -> None:
    page = templates.env.from_string(template)

    for _ in range(2):  # as it is looked up, and as it is kept
        with reading_as(language):
            assert page.render(name="a&b") == said
