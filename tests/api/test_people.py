from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from api.paging import encode_cursor
from crm_link.models import IdentityLink
from crm_link.types import LinkState
from tests.api.conftest import SignIn, all_items
from tests.api.scene import Scene


def test_people_are_listed_and_searched(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    everybody = all_items(client, "/api/v1/people", limit=1)
    found = all_items(client, "/api/v1/people", text="okaf", linked="yes")

    assert [one["contact"]["name"] for one in everybody] == ["Jo Lind", "Ines Okafor"]  # type: ignore[index]
    assert [one["speech"]["segment"] for one in found] == ["ordinary"]  # type: ignore[index]
    page = client.get("/people?text=okaf")
    assert "Ines Okafor" in page.text
    assert "Jo Lind" not in page.text
    assert "Nobody is like that" in client.get("/people?text=xyz").text


def test_a_person_has_the_figures_of_a_social_crm(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    assert scene.brand
    client = sign_in(Role.VIEWER)
    with sessions() as session:
        contact_id = session.scalars(
            select(IdentityLink.contact_id).where(IdentityLink.state == LinkState.CONFIRMED)
        ).one()

    found = client.get(f"/api/v1/people/{contact_id}").json()["figures"]
    page = client.get(f"/people/{contact_id}").text

    assert found["engagement"] >= 1240 + 388 + 57
    assert sum(found["journey"].values()) >= 1
    assert '<h2 id="figures">Figures</h2>' in page
    assert "May leave" in page


def test_accounts_are_split_off_and_taken_back(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    assert scene.brand
    client = sign_in(Role.COMMUNITY_MANAGER)
    with sessions() as session:
        link = session.scalars(
            select(IdentityLink).where(IdentityLink.state == LinkState.CONFIRMED)
        ).one()
    path = f"/people/{link.contact_id}"
    assert "Ines Okafor" in client.get(path).text

    assert client.post(f"{path}/split", data={}).status_code == 422
    assert client.post(f"{path}/split", data={"link_ids": [link.id]}).status_code == 303

    text = client.get(path).text
    assert "1 account split off" in text
    assert "Undo: confirmed again" in text
    (account,) = client.get(f"/api/v1{path}").json()["accounts"]
    assert account["link"]["state"] == "rejected"
    assert account["undo"]["is_record_written"]
    answer = client.post(f"/links/{link.id}/undo?person={link.contact_id}")
    assert answer.headers["location"] == path
    (account,) = client.get(f"/api/v1{path}").json()["accounts"]
    assert account["link"]["state"] == "confirmed"
    other = client.post(f"/api/v1{path}/split", json={"link_ids": [scene.link]})
    assert other.status_code == 404


def test_a_restricted_platforms_link_needs_that_it_is_expected(
    sign_in: SignIn, scene: Scene
) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    path = f"/links/{scene.link}"

    refused = client.post(f"/api/v1{path}/confirm")
    sent_on = client.post(f"{path}/confirm?next={scene.first}")

    assert refused.status_code == 422
    assert "would not surprise them" in refused.json()["error"]["message"]
    assert sent_on.headers["location"] == f"{path}?next={scene.first}"
    assert f"{path}/confirm?next={scene.first}" in client.get(sent_on.headers["location"]).text
    assert client.post(f"{path}/confirm", data={"expected": "true"}).status_code == 303
    assert "would not surprise them" in client.get("/links/decided").text
    late = client.post(f"/api/v1{path}/confirm?expected=true")
    assert late.status_code == 409
    assert "is confirmed by" in late.json()["error"]["message"]


def test_cases_are_given_with_both_sides(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.VIEWER)

    (case,) = client.get("/api/v1/links/cases").json()["items"]

    assert case["asks_for_expectation"]
    (candidate,) = case["candidates"]
    assert candidate["link"]["id"] == scene.link
    name = next(row for row in candidate["compared"] if row["title"] == "Name")
    assert name["author"] == "Jo Lind / @jo_lind"
    assert "Not them" not in client.get("/links").text


def test_a_search_that_ends_with_nobody_says_so(sign_in: SignIn, scene: Scene) -> None:
    assert scene.brand
    client = sign_in(Role.VIEWER)

    assert "Nobody is like that" in client.get("/people?segment=promoter").text
    page = client.get(f"/people?segment=promoter&cursor={encode_cursor(1)}").text
    assert "Nobody else is like that" in page


def test_segments_are_shown_with_their_people_and_as_csv(sign_in: SignIn, scene: Scene) -> None:
    assert scene.brand
    client = sign_in(Role.PR_LEAD)

    page = client.get("/people/segments?days=30&group=promoter").text
    assert "detractors below" in page
    assert "May leave, by what they are worth" in page
    answer = client.get("/people/segments/detractor.csv?brand=acme")
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(answer.text.splitlines()) > 20
    assert client.get("/people/segments/nothing.csv?brand=acme").status_code == 404
    form = {"brand": "acme", "languages": "en, es", "places": "", "interests": "coffee"}
    assert client.post("/people/segments/persona", data=form).status_code == 303
    found = client.get("/api/v1/figures/audience?brand=acme").json()
    assert {fit["wanted"] for fit in found["fits"]} == {"en", "es", "coffee"}
    people = client.get("/api/v1/figures/people?brand=acme&group=influential").json()
    assert people[0]["handle"] == "ines_o"
