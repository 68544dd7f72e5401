"""Keys, audit log and system, as admins see them."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO

from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from api.models import AuditEvent, Role
from tests.api.conftest import MovableClock, SignIn
from tests.api.scene import Scene


def _write(sessions: sessionmaker[Session], clock: MovableClock, number: int) -> None:
    with sessions.begin() as session:
        session.execute(delete(AuditEvent))
        session.add_all(
            AuditEvent(
                at=clock.now - timedelta(hours=number - at),
                actor="ana@example.org" if at % 2 else "=cmd|' /C calc'!A0",
                action="incident acknowledged" if at % 3 else "link confirmed",
                subject=f"incident {at}" if at % 3 else f"link {at}",
            )
            for at in range(number)
        )


def test_an_admin_revokes_anybodys_key(sign_in: SignIn) -> None:
    viewer, admin = sign_in(Role.VIEWER), sign_in(Role.ADMIN)
    key = viewer.post("/api/v1/keys", json={"name": "weekly report"}).json()
    assert "weekly report" in admin.get("/admin/keys").text

    assert admin.post(f"/admin/keys/{key['id']}/revoke").status_code == 303

    bearer = {"Authorization": f"Bearer {key['secret']}"}
    viewer.cookies.clear()
    assert viewer.get("/api/v1/me", headers=bearer).status_code == 401
    assert admin.post("/admin/keys/999999/revoke").status_code == 404


def test_the_audit_log_is_paged_by_key(
    sign_in: SignIn, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    admin = sign_in(Role.ADMIN)
    _write(sessions, clock, 130)

    first = admin.get("/admin/audit").text
    assert first.count('class="at"') == 100
    path = first.partition('<div class="next">')[2].partition('href="')[2].partition('"')[0]
    second = admin.get(path.replace("&amp;", "&")).text

    assert second.count('class="at"') == 30
    assert "Older entries" not in second
    assert '<a href="/incidents/1">incident 1</a>' in second


def test_the_audit_log_is_searched(
    sign_in: SignIn, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    admin = sign_in(Role.ADMIN)
    _write(sessions, clock, 60)

    def count(**wanted: str) -> int:
        return admin.get("/admin/audit", params=wanted).text.count('class="at"')

    assert count(who="ANA@") == 30
    assert count(what="confirmed") == 20
    assert count(about="incident 7") == 1
    assert count(about="incident") == 40
    assert count(since="2026-03-04") == 12
    assert count(until="2026-03-03") == 48
    assert count(who="nobody") == 0
    assert count(who="%") == 0
    assert admin.get("/admin/audit", params={"since": "soon"}).status_code == 422


def test_the_audit_log_is_a_file_that_no_spreadsheet_runs(
    sign_in: SignIn, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    admin = sign_in(Role.ADMIN)
    _write(sessions, clock, 1100)

    answer = admin.get("/admin/audit.csv", params={"what": "acknowledged"})
    rows = list(csv.reader(StringIO(answer.text)))

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert rows[0] == ["at", "who", "what", "about"]
    assert len(rows) - 1 == sum(1 for at in range(1100) if at % 3)
    assert not any(cell.startswith("=") for row in rows for cell in row)


def test_the_system_says_how_it_does(sign_in: SignIn, scene: Scene) -> None:
    page = sign_in(Role.ADMIN).get("/admin/system").text

    assert scene.brand
    assert "What waits" in page
    assert "reddit-search" in page  # the source that fails
    assert "reddit refused the credentials" in page
    assert "30 days" in page
    assert "groundswell" in page
