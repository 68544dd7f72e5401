"""After-action reports: as a page, as files, and by the API."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from api.cli import app as cli
from api.models import Role
from api.reports.pdf import HOW
from api.reports.render import Format, direction, escape_markdown, render_report
from crm_link.escalation.incidents import acknowledge, add_note, resolve
from crm_link.escalation.playbook.playbook_models import (
    ClaimVerdict,
    IncidentClaim,
    IncidentStatement,
    StatementState,
)
from crm_link.escalation.report import Report, read_report
from crm_link.escalation.reports import said as report_said
from crm_link.escalation.war_room.milestones import Milestone
from crm_link.types import Priority
from listener.models import Brand, Mention
from tests.api.build import judged
from tests.api.conftest import MovableClock, SignIn
from tests.api.scene import XSS, Scene
from tests.make import make_author, make_mention

RTL = "لقد وجدت زجاجًا في قهوتي من Acme 😡"


@pytest.fixture
def after(scene: Scene, sessions: sessionmaker[Session], clock: MovableClock) -> Scene:
    """Give the scene after its incident was worked on and resolved."""
    now = clock.now

    def at(minutes: int) -> MovableClock:
        clock.now = now + timedelta(minutes=minutes)
        return clock

    with sessions.begin() as session:
        brand = session.get_one(Brand, scene.brand)
        for text, name in ((XSS, "<b>Mallory</b>"), (RTL, "ليلى")):
            make_mention(
                session,
                brand,
                text=text,
                url="javascript:alert(1)" if text == XSS else "https://example.org/p/2",
                author_id=make_author(session, name=name, followers=90_000).id,
                published_at=now - timedelta(minutes=8),
                **judged("negative", Priority.RISK, topic="glass"),
            )
        acknowledge(session, scene.incident, by="anna@example.org", clock=at(1))
        add_note(
            session,
            scene.incident,
            text="Called the plant.\n<script>alert(1)</script>",
            by="anna@example.org",
            clock=at(6),
        )
        session.add(
            IncidentClaim(
                incident_id=scene.incident,
                mention_id=scene.first,
                title="",
                words={},
                mentions=51,
                first_at=now,
                last_at=now,
                verdict=ClaimVerdict.PARTLY,
                evidence="One grinder | photo",
                decided_by="anna@example.org",
                decided_at=now,
            )
        )
        session.add(
            IncidentStatement(
                incident_id=scene.incident,
                key="holding_v1",
                strategy="holding",
                lang="en",
                text="We are looking into it. Next update at 14:00.",
                state=StatementState.PUBLISHED,
                needs=[],
                approvals=[{"role": "legal", "by": "emil@example.org", "at": now.isoformat()}],
                requested_at=now,
                requested_by="anna@example.org",
                closed_at=now + timedelta(minutes=20),
                closed_by="anna@example.org",
            )
        )
        session.flush()
        resolve(session, scene.incident, by="clara@example.org", reason="answered", clock=at(180))
    clock.now = now + timedelta(days=2)
    return scene


@pytest.fixture
def report(after: Scene, sessions: sessionmaker[Session], clock: MovableClock) -> Report:
    with sessions() as session:
        found = read_report(session, after.incident, now=clock.now)
        session.expunge_all()
        return found


def test_a_report_says_which_posts_it_chose_from_where_they_are_many(
    after: Scene,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_said, "MOST_RANKED", 2)

    with sessions() as session:
        few = read_report(session, after.incident, now=clock.now)

        assert (few.said.ranked, few.said.is_all_ranked, len(few.said.posts)) == (2, False, 2)
        assert "Of the newest 2, and of those" in render_report(few, Format.HTML).decode()


def test_a_report_states_times_claims_people_and_coverage(report: Report) -> None:
    times = {one.what: one for one in report.times}

    assert times[Milestone.DETECT].took == timedelta(minutes=28)
    assert times[Milestone.ACKNOWLEDGE].took == timedelta(minutes=13)
    assert times[Milestone.ACKNOWLEDGE].is_met is True  # SEV-2: 15 minutes
    assert times[Milestone.HOLDING].took == timedelta(minutes=32)
    assert times[Milestone.RESOLVE].took == timedelta(minutes=192)
    assert [event.kind for event in report.decisions] == ["acknowledged", "note", "resolved"]
    assert (report.people.contacts, report.people.tiers) == (1, {"gold": 1})
    assert report.people.named == []
    assert [claim.verdict for claim in report.said.claims] == ["partly"]
    assert {name for name, _, state in report.coverage.sources if state == "failing"} == {
        "reddit-search"
    }
    assert report.curve.rebound.band is None  # two days of history say nothing
    assert report.review.due_at is not None


def test_html_stands_alone_and_runs_nothing_that_was_posted(report: Report) -> None:
    page = render_report(report, Format.HTML, public_url="https://pr.example.org").decode()

    assert "<script" not in page
    assert "onerror=&#34;" in page
    assert "&lt;b&gt;Mallory&lt;/b&gt;" in page
    assert 'href="javascript' not in page
    assert " style=" not in page
    assert not re.findall(r'(?:src|srcset|data)="(?!data:)', page)
    assert set(re.findall(r'href="([^"]+)"', page)) <= {
        "https://example.org/posts/1",
        "https://example.org/p/2",
        "https://pr.example.org/incidents/1",
    }
    assert f'<p class="prewrap" dir="rtl">{RTL}</p>' in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert page.count("<svg") == 1


def test_the_style_of_a_file_is_allowed_by_its_own_policy(report: Report) -> None:
    page = render_report(report, Format.HTML).decode()
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()

    assert f"sha256-{digest}" in page


def test_markdown_shows_posts_as_they_are(report: Report) -> None:
    text = render_report(report, Format.MARKDOWN).decode()

    assert "\\<script\\>" in text
    assert "<script>" not in text
    assert RTL in text
    assert "One grinder \\| photo" in text
    assert "| Acknowledged | 13 min | 15 min | in time |" in text
    assert "\n## What was said\n" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("3. item", "\\3. item"),
        ("[a](javascript:x) ![i](y)", "\\[a\\](javascript:x) !\\[i\\](y)"),
        ("a\n\n> b", "a \\> b"),
        ("*b* _c_ `d` ~e~", "\\*b\\* \\_c\\_ \\`d\\` \\~e\\~"),
    ],
)
def test_markdown_is_escaped(text: str, shown: str) -> None:
    assert escape_markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Acme", "ltr"), (RTL, "rtl"), ("😡 12 שלום", "rtl"), ("@acme مرحبا", "ltr"), ("", "ltr")],
)
def test_a_text_runs_as_its_first_letter_does(text: str, shown: str) -> None:
    assert direction(text) == shown


def test_pdf_is_made_without_the_network(report: Report) -> None:
    content = render_report(report, Format.PDF)

    assert content.startswith(b"%PDF-")
    assert len(content) > 10_000


def test_a_missing_library_says_what_to_install(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    with pytest.raises(Exception, match=re.escape(HOW)):
        render_report(report, Format.PDF)


def test_a_deleted_post_is_in_no_later_report(
    after: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    with sessions.begin() as session:
        session.get_one(Mention, after.first).deleted_at = clock.now
    with sessions() as session:
        page = render_report(read_report(session, after.incident, now=clock.now), Format.HTML)

    assert b"Staff shrugged" not in page


def test_the_page_takes_the_review_and_the_files_are_offered(after: Scene, sign_in: SignIn) -> None:
    client = sign_in(Role.PR_LEAD)
    path = f"/incidents/{after.incident}"

    assert "What was said" in client.get(f"{path}/report").text
    answer = client.post(f"{path}/review", data={"lessons": "Answer in the first hour."})
    assert answer.status_code == 303
    assert "Answer in the first hour." in client.get(f"{path}/report").text
    refused = client.post(f"{path}/review", data={"budget": "x"}, headers={"accept": "text/html"})
    assert refused.status_code == 422
    assert "Make the PDF" in client.get(f"{path}/report.pdf").text  # see test_report_files
    for form in (Format.HTML, Format.MARKDOWN):
        answer = client.get(f"{path}/report.{form}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].endswith(f'report.{form}"')


def test_the_api_gives_figures_and_names_contacts_to_who_may(after: Scene, sign_in: SignIn) -> None:
    viewer, manager = sign_in(Role.VIEWER), sign_in(Role.COMMUNITY_MANAGER)
    path = f"/api/v1/incidents/{after.incident}/report"

    figures = viewer.get(path).json()
    assert figures["contacts_by_tier"] == {"gold": 1}
    assert figures["claims"] == {"partly": 1}
    assert figures["review"]["asked"] == ["lessons"]
    assert viewer.get(f"{path}.md?people=true").status_code == 403
    assert "csv\\_file C-1001" in manager.get(f"{path}.md?people=true").text
    assert "C-1001" not in manager.get(f"{path}.md").text


def test_readiness_and_drills_by_the_api(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(Role.PR_LEAD)

    (ready,) = client.get("/api/v1/readiness").json()
    assert ready["score"] == sum(part["earned"] for part in ready["parts"])
    started = client.post("/api/v1/drills", json={"brand": "acme", "scenario": "false_rumour"})
    assert started.status_code == 201
    drill = started.json()
    assert drill["state"] == "running"
    assert client.post("/api/v1/drills", json={"incident_id": scene.incident}).status_code == 409
    assert "false rumour" in client.get("/drills").text
    assert [one["key"] for one in client.get("/api/v1/brands").json()] == ["acme"]
    stopped = client.post(f"/api/v1/drills/{drill['id']}/stop")
    assert stopped.json()["state"] == "stopped"
    assert client.post("/api/v1/drills", json={"brand": "acme"}).status_code == 422


def test_the_command_writes_each_format(
    after: Scene,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    clock: MovableClock,
) -> None:
    assert isinstance(clock.now, datetime)
    monkeypatch.setenv("GROUNDSWELL_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    for name in ("r.html", "r.md", "r.pdf"):
        done = runner.invoke(cli, ["report", str(after.incident), "--out", name])
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).stat().st_size > 2_000
    spanish = ["report", str(after.incident), "--out", "es.md", "--language", "es"]
    assert runner.invoke(cli, spanish).exit_code == 0
    assert "| Asumido | 13 min | 15 min | a tiempo |" in (tmp_path / "es.md").read_text("utf-8")
    unknown = runner.invoke(cli, [*spanish[:-1], "xx"])
    assert "'xx' is no language of reports; known: en, es" in str(unknown.exception)
    wrong = runner.invoke(cli, ["report", str(after.incident), "--out", "r.docx"])
    assert "name the file .html, .md or .pdf" in str(wrong.exception)
