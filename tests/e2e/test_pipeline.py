"""One post's whole way: from a platform to an alert and a CRM record."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from config.db import read_session
from crm_link.escalation.models import Incident
from crm_link.models import Contact, Flag, IdentityLink
from crm_link.types import LinkState
from listener.models import Author, Mention
from sentiment.due_hours import HOUR_S
from sentiment.facet_models import DueHour, Facet, TopicBoard
from tests.e2e.homes import WEBHOOK_SECRET, Home, text_of, wait_until
from tests.e2e.truths import assert_all_done, assert_rollups_are_exact
from tests.networks import Networks, running_networks

TEXTS = (
    "My Nordlicht lamp caught fire, this is terrible and dangerous",
    "Horrible: another Nordlicht lamp on fire, awful company, avoid",
    "Nordlicht knew about the fire and lied. Disgusting, worst brand ever",
    "Is it true about the Nordlicht fire? I hate this, what a disaster",
)


@pytest.fixture(scope="module")
def networks() -> Iterator[Networks]:
    with running_networks() as networks:
        yield networks


@pytest.fixture
def home(database_url: str, tmp_path: Path, networks: Networks) -> Home:
    networks.control.reset()
    home = Home(tmp_path / "home", database_url)
    home.write_brand(networks)
    # A feed that is not there would be an alert of its own.
    networks.control.set_feed("news", horizon=100)
    home.write(
        "contacts.csv",
        "id,name,email,x_handle,relationship_source\n"
        "C1,Mira Made-Up,mira@people.example,mira_writes,consent\n"
        "C2,Someone Else,else@people.example,nobody_here,consent\n",
    )
    return home


def _attack(networks: Networks, *, count: int = 4) -> list[str]:
    return networks.control.add(
        "x",
        [
            {
                "text": TEXTS[number % len(TEXTS)],
                "author": "Mira_Writes" if number == 0 else f"someone_{number}",
                "author_name": "Mira" if number == 0 else f"Some One {number}",
            }
            for number in range(count)
        ],
    )


def _assert_signed(hook: dict[str, Any]) -> dict[str, Any]:
    """Check a webhook as a receiver must, and return what it says."""
    headers = {name.lower(): value for name, value in hook["headers"].items()}
    parts = dict(part.split("=", 1) for part in headers["x-groundswell-signature"].split(","))
    body = hook["body"].encode()
    signed = hmac.new(WEBHOOK_SECRET.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256)
    assert hmac.compare_digest(signed.hexdigest(), parts["v1"])
    assert abs(time.time() - int(parts["t"])) < 300
    said: dict[str, Any] = json.loads(body)
    assert said["idempotency_key"] == headers["x-idempotency-key"]
    return said


def _assert_whole_way(home: Home, networks: Networks, ids: list[str]) -> None:
    with home.sessions() as sessions, read_session(sessions) as session:
        found = session.execute(
            select(Mention, Author).join(Author, Author.id == Mention.author_id)
        ).all()
        assert sorted(mention.external_id for mention, _ in found) == sorted(ids)
        by_id = {mention.external_id: (mention, author) for mention, author in found}
        mention, author = by_id[ids[0]]
        assert mention.text == TEXTS[0]
        assert (author.handle, author.name) == ("Mira_Writes", "Mira")
        assert mention.label == "negative"
        assert mention.scorer
        assert (mention.priority, mention.topic) == ("risk", "fire")
        link = session.execute(
            select(IdentityLink.state, Contact.external_id)
            .join(Contact, Contact.id == IdentityLink.contact_id)
            .where(IdentityLink.author_id == author.id)
        ).one()
        assert tuple(link) == (LinkState.CONFIRMED, "C1")
        assert set(session.scalars(select(Flag.mention_id))) >= {mention.id}
        incident = session.scalars(select(Incident)).one()
        incident_id = incident.id
        assert (incident.topic, incident.severity) == ("fire", "SEV-2")
        assert_all_done(session)
        assert_rollups_are_exact(session)
    [hook] = networks.control.hooks()
    said = _assert_signed(hook)
    assert said["data"]["incident_id"] == incident_id
    assert said["data"]["negatives"] >= 3
    assert said["data"]["platforms"] == {"x": said["data"]["negatives"]}
    assert "Nordlicht" in said["title"]


def _enriched(home: Home) -> dict[str, dict[str, str]]:
    path = home.folder / "enriched_contacts.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def _assert_enriched(home: Home) -> None:
    rows = _enriched(home)
    assert set(rows) == {"C1"}
    told = rows["C1"]
    assert told["groundswell_handles"] == "x:Mira_Writes"
    assert told["groundswell_mentions"] == "1"
    assert told["groundswell_last_sentiment"] == "negative"
    assert float(told["groundswell_average_sentiment"]) < -0.3
    assert told["groundswell_last_mention_at"]
    assert told["groundswell_open_incident"].startswith("incident ")


def _assert_summed_for_the_board(home: Home, mentions: int) -> None:
    """Without a worker the board shows what the last `once` brought, and its topics."""
    with home.sessions() as sessions, read_session(sessions) as session:
        assert session.scalars(select(DueHour.hour_at)).all() == []
        hourly = (Facet.kind == "lang", Facet.grain_s == HOUR_S)
        assert session.scalar(select(func.sum(Facet.mentions)).where(*hourly)) == mentions
        assert session.scalars(select(TopicBoard.period)).all()


def _waiting(home: Home) -> int:
    with home.sessions() as sessions, read_session(sessions) as session:
        return session.scalar(select(func.count()).where(Mention.pending.is_not(None))) or 0


def test_once_takes_a_post_from_the_platform_to_alert_and_crm(
    home: Home, networks: Networks
) -> None:
    _ok(home.run("import", "contacts", home.folder / "contacts.csv"))
    ids = _attack(networks)

    first = home.run("once")

    _ok(first)
    _assert_whole_way(home, networks, ids)
    _assert_enriched(home)
    _assert_summed_for_the_board(home, len(ids))

    _ok(home.run("once"))

    assert len(networks.control.hooks()) == 1
    _assert_whole_way(home, networks, ids)


def test_run_takes_a_post_from_the_platform_to_alert_and_crm(
    home: Home, networks: Networks
) -> None:
    _ok(home.run("import", "contacts", home.folder / "contacts.csv"))
    with home.running("run", "--port", "0") as process:
        wait_until(lambda: "console: http" in home.log(), what="the console")
        ids = _attack(networks)

        networks.control.wait_for_hooks(1, timeout_s=60)
        wait_until(
            lambda: _enriched(home).get("C1", {}).get("groundswell_open_incident"),
            what="the enriched contact",
        )
        # The model may still have some that the lexicon told of.
        wait_until(lambda: not _waiting(home), what="the model's judgements")

        assert process.poll() is None
    assert process.returncode in {0, -15}, home.log()
    assert "Traceback" not in home.log()
    _assert_whole_way(home, networks, ids)
    _assert_enriched(home)
    for text in (*TEXTS, "Mira", "people.example"):
        assert text not in home.log(), "a log holds ids only"


def test_a_feed_goes_the_same_way(home: Home, networks: Networks) -> None:
    networks.control.add(
        "feeds", [{"text": text, "title": f"Report {n}"} for n, text in enumerate(TEXTS)]
    )

    _ok(home.run("once"))

    with home.sessions() as sessions, read_session(sessions) as session:
        assert session.scalars(select(Incident.topic)).all() == ["fire"]
        assert set(session.scalars(select(Mention.platform))) == {"rss"}
    [hook] = networks.control.hooks()
    assert _assert_signed(hook)["data"]["platforms"].keys() == {"rss"}


def test_an_alert_waits_for_a_receiver_that_is_away(home: Home, networks: Networks) -> None:
    networks.control.fault("hook", "status", status=503, times=1)
    _attack(networks)
    with home.running("worker"):
        hooks = networks.control.wait_for_hooks(1, timeout_s=60)

    assert len({_assert_signed(hook)["idempotency_key"] for hook in hooks}) == 1


def _ok(done: subprocess.CompletedProcess[bytes]) -> None:
    assert done.returncode == 0, text_of(done)
