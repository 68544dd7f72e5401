"""The board: its pages, its numbers, its CSV files."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role, Team, TeamBrand, TeamMember
from crm_link.board.tables import Table, as_csv
from tests.api.board_scene import add_competitor
from tests.api.conftest import NOW, SignIn
from tests.api.scene import Scene
from tests.make import make_brand


@pytest.fixture
def rival(sessions: sessionmaker[Session], scene: Scene) -> str:
    with sessions.begin() as session:
        return add_competitor(session, scene, NOW).key


def test_the_board_compares_with_the_period_before(sign_in: SignIn) -> None:
    found = sign_in(Role.VIEWER).get("/api/v1/board", params={"brand": "acme"}).json()

    assert (found["grain_s"], len(found["points"]), len(found["points_before"])) == (3600, 24, 24)
    assert found["mentions"] == sum(point["mentions"] for point in found["points"])
    change = found["change"]
    assert change["value"] == pytest.approx(found["mentions"] / found["mentions_before"] - 1)
    assert change["low"] < change["value"] < change["high"]
    assert found["net_change"]["value"] < 0
    assert found["net_change"]["is_clear"]
    assert found["share_of_voice"]["voices"] == []


def test_the_share_of_voice_counts_competitors(sign_in: SignIn, rival: str) -> None:
    client = sign_in(Role.VIEWER)
    found = client.get("/api/v1/board", params={"brand": "acme"}).json()["share_of_voice"]

    own, other = found["voices"]
    assert (own["key"], own["is_own"], other["key"], other["mentions"]) == ("acme", True, rival, 72)
    assert own["share"] + other["share"] == pytest.approx(1)
    assert found["unheard"] == ["Beanery"]
    page = client.get("/board?brand=acme").text
    assert "Share of voice" in page
    assert "No source listens to Beanery" in page
    assert "Share of voice" in client.get("/board").text  # the only brand need not be chosen
    assert "their beans are fine" not in client.get("/mentions").text
    assert "their beans are fine" in client.get("/mentions", params={"brand": rival}).text
    assert [one["key"] for one in client.get("/api/v1/brands").json()] == ["acme"]


def test_all_brands_together_have_no_share_of_voice(
    sign_in: SignIn, rival: str, sessions: sessionmaker[Session]
) -> None:
    assert rival
    with sessions.begin() as session:
        make_brand(session, key="other", name="Other")

    page = sign_in(Role.VIEWER).get("/board").text

    assert "all brands" in page
    assert "Beanery" not in page


@pytest.mark.parametrize(
    ("chart", "first"),
    [
        ("volume", "2026-03-03T13:00:00+00:00"),
        ("platforms", "x"),
        ("share", "Acme"),
        ("topics", "glass"),
        ("emotions", "2026-03-03T13:00:00+00:00"),
        ("intents", "complaint"),
        ("reasons", "safety"),
        ("languages", "en"),
        ("sources", "x-search"),
        ("influencers", "x"),
    ],
)
def test_each_chart_has_its_numbers_as_csv(
    sign_in: SignIn, rival: str, chart: str, first: str
) -> None:
    assert rival
    answer = sign_in(Role.VIEWER).get(f"/board/{chart}.csv?brand=acme")

    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="board-acme-{chart}-24h.csv"'
    )
    header, *rows = csv.reader(io.StringIO(answer.text))
    assert any(row[0].startswith(first) for row in rows)
    assert {len(row) for row in rows} == {len(header)}


def test_a_chart_that_is_not_there_is_not_found(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    assert client.get("/board/nonsense.csv").status_code == 404
    assert client.get("/board/share.csv").status_code == 422


def test_no_cell_of_a_csv_file_is_a_formula() -> None:
    text = as_csv(Table(("name", "value"), (("=cmd|' /C calc'!A0", -0.5), (None, 3))))

    assert text == "name,value\r\n'=cmd|' /C calc'!A0,-0.5000\r\n,3\r\n"


def test_a_team_sees_the_competitors_of_its_brand(
    sessions: sessionmaker[Session], sign_in: SignIn, scene: Scene, rival: str
) -> None:
    with sessions.begin() as session:
        team = Team(name="Coffee", created_at=NOW)
        session.add(team)
        session.flush()
        session.add(TeamBrand(team_id=team.id, brand_id=scene.brand))
        session.add(TeamMember(team_id=team.id, user_id=scene.users[Role.VIEWER]))

    found = sign_in(Role.VIEWER).get("/api/v1/board", params={"brand": "acme"}).json()

    assert [one["key"] for one in found["share_of_voice"]["voices"]] == ["acme", rival]
