"""What a page refuses is said in the reader's language, whichever service refuses it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from api.console.locale.__main__ import ERRORS, met_modules
from api.models import Role
from tests.api.conftest import SignIn
from tests.api.scene import Scene

#: Address, form, and what the page says of it.
REFUSED: tuple[tuple[str, dict[str, str], str], ...] = (
    ("/queue/changes", {"act": "done"}, "elija primero una mención"),
    ("/incidents/{incident}/note", {"text": " "}, "una nota tiene de 1 a"),
    ("/incidents/{incident}/resolve", {"reason": ""}, "diga por qué se cierra el incidente"),
    (
        "/silences",
        {"severities": "SEV-3", "hours": "2"},
        "el comentario es lo que ven los demás",
    ),
    (
        "/on-call/overrides",
        {"brand": "acme", "rotation": "nope", "contact": "x", "hours": "1"},
        "no existe el turno «nope»",
    ),
    (
        "/on-call/overrides",
        {"brand": "acme", "rotation": "nope", "contact": "x", "hours": "0"},
        "Horas: debe ser mayor que 0",
    ),
    ("/people/1/split", {}, "marque las cuentas que son de otras personas"),
    ("/links/999/confirm", {"expected": "true"}, "no existe el vínculo 999"),
    ("/drills", {"brand": "acme", "scenario": "nope"}, "no existe el escenario «nope»"),
    (
        "/reports/schedules",
        {
            "brand": "acme",
            "kind": "weekly",
            "form": "html",
            "weekday": "0",
            "hour": "8",
            "zone": "Mars/Base",
            "recipients": "a@example.org",
        },
        "«Mars/Base» no es una zona horaria",
    ),
    ("/admin/teams", {"name": " "}, "un equipo necesita un nombre"),
    (
        "/account/password",
        {"current": "wrong one, and long", "new": "a new one that is long"},
        "la contraseña actual no es correcta",
    ),
)


@pytest.mark.parametrize(("address", "form", "said"), REFUSED, ids=lambda one: str(one)[:30])
def test_a_wrong_form_is_refused_in_spanish(
    sign_in: SignIn, scene: Scene, address: str, form: dict[str, str], said: str
) -> None:
    client = sign_in(Role.ADMIN)

    answer = client.post(
        address.format_map(vars(scene)), data=form, headers={"Accept-Language": "es"}
    )

    assert answer.status_code >= 400
    assert said in unescape(answer.text)


def test_programs_get_english_and_pages_that_are_not_there_say_so(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMIN)
    client.headers["Accept-Language"] = "es"

    told = client.get("/api/v1/incidents/999").json()["error"]["message"]
    assert told == "there is no incident 999"
    assert "no existe el incidente 999" in client.get("/incidents/999").text
    assert "No se encuentra" in client.get("/nowhere").text
    part = client.get("/incidents/999", headers={"HX-Request": "true"}).text
    assert "no existe el incidente 999" in part


@pytest.mark.parametrize("path", met_modules(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_error_that_people_meet_has_a_template(path: Path) -> None:
    """An f-string cannot be looked up: `InputError("no %(what)s", what=...)`."""
    found = list(_filled_in(ast.parse(path.read_text("utf-8"))))

    assert found == []


def _filled_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ERRORS
            and node.args
            and any(isinstance(part, ast.JoinedStr) for part in ast.walk(node.args[0]))
        ):
            yield ast.unparse(node)
