"""A form that the console's script sends is told where to go, and keeps the notice for there."""

from __future__ import annotations

import pytest

from api.models import Role
from tests.api.conftest import ORIGIN, SignIn
from tests.api.scene import Scene


def test_the_script_is_told_the_next_page_and_the_notice_waits_there(
    sign_in: SignIn, scene: Scene
) -> None:
    client = sign_in(Role.ADMIN)
    form = {"name": "Ana Roth", "email": "ana@example.org", "role": "viewer", "password": "x" * 12}

    answer = client.post("/users", data=form, headers={"X-Form": "whole"})

    assert scene.users
    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["X-Go-To"] == "/users"
    assert "location" not in answer.headers
    assert 'class="notice"' in client.get("/users").text


@pytest.mark.parametrize(
    ("shown", "goes"), [("/users", False), ("/users?x=1", True), ("/account", True)]
)
def test_a_form_that_is_answered_in_place_leads_on_only_to_another_page(
    sign_in: SignIn, scene: Scene, shown: str, *, goes: bool
) -> None:
    client = sign_in(Role.ADMIN)
    headers = {"X-Form": "inline", "HX-Request": "true", "HX-Current-URL": f"{ORIGIN}{shown}"}
    user = scene.users[Role.VIEWER]

    answer = client.post(f"/users/{user}/role", data={"role": "viewer"}, headers=headers)

    assert answer.status_code == (200 if goes else 303)
    assert ("X-Go-To" in answer.headers) is goes


def test_what_is_refused_is_a_part_that_the_form_shows(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.ADMIN)

    answer = client.post("/users", data={"name": ""}, headers={"X-Form": "whole"})

    assert scene.users
    assert answer.status_code == 422
    assert answer.text.startswith('<p class="problem-text ')
    assert "X-Go-To" not in answer.headers


def test_a_browser_without_the_script_is_led_as_ever(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.ADMIN)

    answer = client.post(f"/users/{scene.users[Role.VIEWER]}/role", data={"role": "viewer"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/users")
