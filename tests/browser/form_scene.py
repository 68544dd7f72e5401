"""What the scene lacks for every form to be met: crises at work, records and people in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.contacts.joining import join_due
from crm_link.escalation.delivery.acks import Links
from crm_link.escalation.detect import detect
from crm_link.escalation.detection.in_force import store_in_force
from crm_link.escalation.incidents import acknowledge, resolve
from crm_link.escalation.models import Notification
from crm_link.escalation.playbook.approvals import approve_statement
from crm_link.escalation.playbook.claims import gather_claims
from crm_link.escalation.playbook.statement_requests import request_statement
from crm_link.models import Contact, DeliveryStatus, WriteBack
from crm_link.reporting.files import Wanted, ask_for_file
from crm_link.reporting.models import FileKind, FileState
from tests.api.scene import Scene
from tests.crm_link.escalation.playing import FULL
from tests.crm_link.make_linking import CONTEXT, make_record, sync
from tests.crm_link.making import make_brand, make_mentions, make_protocol

#: Two claims that each is made often enough to be found.
SAID = (
    *(
        f"There was glass in my {cup} from Leaf, the grinder broke"
        for cup in ("latte", "mocha", "iced", "oat", "filter", "flat")
    ),
    *(
        f"Leaf charged my card twice for one {thing}, and nobody answers the phone"
        for thing in ("muffin", "bagel", "scone", "toast", "cake", "cookie")
    ),
)

ON_CALL = """
on_call:
  social: {tz: Europe/Madrid, members: [anna, ben], start: 2026-03-02, every: 1w}
"""

PROTOCOL = (
    FULL.replace("2026-07-01", "2099-01-01")
    .replace(", known_as: [dora@example.org]", "")
    .replace("notify: [crisis_lead]", "notify: [crisis_lead, on_call(social)]")
    + ON_CALL
)


@dataclass(frozen=True)
class FormScene:
    """Ids of what is walked to besides the scene; `ack` is the token of an alert's link."""

    crisis: int
    over: int
    twin: int
    ack: str
    file: int


def make_form_scene(sessions: sessionmaker[Session], scene: Scene, key: str) -> FormScene:
    """Write a crisis with claims and statements, one that is over, and what people must decide.

    `key` is the secret that the console signs links with.
    """
    assert scene.users
    leaf = make_brand(sessions, "leaf")
    now = utc_now()
    protocol = make_protocol(PROTOCOL)
    store_in_force(sessions, {leaf: protocol}, now)
    over = _burst(sessions, leaf, protocol_text=PROTOCOL)
    with sessions.begin() as session:
        acknowledge(session, over, by="anna@example.org", clock=utc_now)
        resolve(session, over, by="anna@example.org", reason="answered", clock=utc_now)
    fern = make_brand(sessions, "fern")
    crisis = _burst(sessions, fern, protocol_text=PROTOCOL)
    gather_claims(sessions, clock=utc_now)
    _ask_for_statements(sessions, crisis)
    _give_up_a_record(sessions, scene)
    ack = _link_of_an_alert(sessions, crisis, key)
    return FormScene(crisis, over, _make_twins(sessions), ack, _ask_for_a_file(sessions, scene))


def _burst(sessions: sessionmaker[Session], brand_id: int, *, protocol_text: str) -> int:
    at = utc_now() - timedelta(minutes=2)
    make_mentions(sessions, brand_id, *SAID, pending=None, topic="general", published_at=at)
    (found,) = detect(sessions, {brand_id: make_protocol(protocol_text)}, clock=utc_now)
    return found


def _ask_for_statements(sessions: sessionmaker[Session], incident_id: int) -> None:
    """Let somebody else ask for two statements, of which one is approved and may be published."""
    with sessions.begin() as session:
        for words in ("", "We look into it, in words of our own."):
            asked = request_statement(
                session, incident_id, "holding_v1", lang="en", text=words, by="ann", clock=utc_now
            )
            if words:
                continue
            approve_statement(session, asked.id, by="dora@example.org", clock=utc_now)


def _give_up_a_record(sessions: sessionmaker[Session], scene: Scene) -> None:
    assert scene.first
    now = utc_now()
    with sessions.begin() as session:
        contacts = session.scalars(select(Contact).where(Contact.crm == "csv_file")).all()
        assert len(contacts) > 1
        session.add_all(
            WriteBack(
                crm=contact.crm,
                external_id=contact.external_id,
                contact_id=contact.id,
                fields={},
                status=DeliveryStatus.DEAD,
                attempts=10,
                last_error="the file cannot be written",
                next_attempt_at=now,
                created_at=now,
            )
            for contact in contacts
        )


def _make_twins(sessions: sessionmaker[Session]) -> int:
    """Write one person in two CRMs; return one of the records."""
    for crm in ("hubspot", "salesforce"):
        sync(sessions, make_record(name="Pat Kim", emails=("pat@example.com",)), name=crm)
    join_due(sessions, context=CONTEXT)
    with sessions() as session:
        return session.scalars(select(Contact.id).where(Contact.crm == "salesforce")).one()


def _ask_for_a_file(sessions: sessionmaker[Session], scene: Scene) -> int:
    """Ask for a file that could not be made, so that somebody may say: try again."""
    wanted = Wanted(FileKind.RESPONSES, scene.brand, "en", "UTC", until_at=utc_now())
    with sessions.begin() as session:
        file = ask_for_file(session, wanted, by_id=1, now=utc_now())
        file.state, file.done_at = FileState.FAILED, utc_now()
        file.last_error = "it broke"
        return file.id


def _link_of_an_alert(sessions: sessionmaker[Session], incident_id: int, key: str) -> str:
    with sessions.begin() as session:
        row = session.scalars(
            select(Notification).where(Notification.incident_id == incident_id)
        ).first()
        assert row is not None
        address = Links("https://listening.example", key).acknowledge(row.id, utc_now())
    assert address is not None
    return address.rpartition("/")[2]
