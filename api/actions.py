"""What people change, through the console or the API alike: the service, then the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from api import users
from api.deps import Actor
from api.language import LANGUAGES, is_zone
from api.models import ApiKey, Role, User
from config.errors import InputError, NotFoundError
from crm_link import review
from crm_link.escalation import incidents
from crm_link.escalation.models import Incident
from crm_link.figures import audience
from crm_link.linking import link_undo
from crm_link.mention_view import get_link
from crm_link.mentions import get_brand
from crm_link.models import IdentityLink
from crm_link.review_cases import asks_for_expectation
from sentiment import corrections
from sentiment.models import Correction
from sentiment.types import Label


def correct_label(actor: Actor, mention_id: int, label: Label) -> Correction:
    """Say what a mention's label is."""
    correction = corrections.correct_label(
        actor.session, mention_id, label, by=actor.name, clock=actor.clock
    )
    actor.record(f"label corrected to {label}", f"mention {mention_id}")
    return correction


def undo_correction(actor: Actor, mention_id: int) -> Correction:
    """Give a mention back the label that the model gave it."""
    correction = corrections.undo_correction(
        actor.session, mention_id, by=actor.name, clock=actor.clock
    )
    actor.record("correction undone", f"mention {mention_id}")
    return correction


def confirm_link(actor: Actor, link_id: int, *, is_expected: bool = False) -> IdentityLink:
    """Say that an author is a contact.

    Args:
        actor: Who says so.
        link_id: The link.
        is_expected: The person would not be surprised: asked for where the platform's terms
            restrict linking, and kept with the decision.

    Raises:
        InputError: The platform's terms ask for that, and it was not said.

    """
    platform = get_link(actor.session, link_id).author.platform
    if asks_for_expectation(platform) and not is_expected:
        raise InputError(
            "%(platform)s lets an account be linked only where its owner would "
            "expect it: say that this would not surprise them",
            platform=platform,
        )
    note = "would not surprise them" if is_expected else ""
    link = review.confirm(actor.session, link_id, by=actor.name, clock=actor.clock, note=note)
    actor.record("link confirmed", f"link {link_id}")
    return link


def reject_link(actor: Actor, link_id: int) -> IdentityLink:
    """Say that an author is not a contact."""
    link = review.reject(actor.session, link_id, by=actor.name, clock=actor.clock)
    actor.record("link rejected", f"link {link_id}")
    return link


def undo_link(actor: Actor, link_id: int) -> IdentityLink:
    """Take a decision about a link back."""
    link_undo.undo(actor.session, link_id, by=actor.name, clock=actor.clock)
    actor.record("link decision undone", f"link {link_id}")
    return get_link(actor.session, link_id)


def split_links(actor: Actor, contact_id: int, link_ids: Sequence[int]) -> list[IdentityLink]:
    """Say that some of a contact's accounts are other people's."""
    links = review.split(actor.session, contact_id, link_ids, by=actor.name, clock=actor.clock)
    for link in links:
        actor.record("link split off", f"link {link.id}")
    return links


def write_persona(
    actor: Actor,
    brand: str,
    *,
    languages: Sequence[str],
    places: Sequence[str],
    interests: Sequence[str],
) -> None:
    """Say whom a brand wants to speak with."""
    brand_id = get_brand(actor.session, brand).id
    audience.write_persona(
        actor.session,
        brand_id,
        languages=languages,
        places=places,
        interests=interests,
        by=actor.name,
        now=actor.clock(),
    )
    actor.record("persona written", f"brand {brand_id}")


def acknowledge(actor: Actor, incident_id: int) -> Incident:
    """Take an incident on."""
    incident = incidents.acknowledge(actor.session, incident_id, by=actor.name, clock=actor.clock)
    actor.record("incident acknowledged", f"incident {incident_id}")
    return incident


def add_note(actor: Actor, incident_id: int, text: str, *, is_decision: bool = False) -> Incident:
    """Write into an incident's timeline."""
    incident = incidents.add_note(
        actor.session,
        incident_id,
        by=actor.name,
        text=text,
        clock=actor.clock,
        is_decision=is_decision,
    )
    actor.record("incident note", f"incident {incident_id}")
    return incident


def resolve(actor: Actor, incident_id: int, reason: str) -> Incident:
    """Close an incident."""
    incident = incidents.resolve(
        actor.session, incident_id, by=actor.name, reason=reason, clock=actor.clock
    )
    actor.record("incident resolved", f"incident {incident_id}")
    return incident


def escalate(actor: Actor, incident_id: int, reason: str) -> Incident:
    """Tell the next people of the chain now."""
    incident = incidents.escalate_now(
        actor.session, incident_id, by=actor.name, reason=reason, clock=actor.clock
    )
    actor.record("incident escalated", f"incident {incident_id}")
    return incident


def create_api_key(actor: Actor, name: str) -> tuple[ApiKey, str]:
    """Make a key with the actor's rights."""
    key, secret = users.create_api_key(actor.session, user=actor.user, name=name, now=actor.clock())
    actor.record("key created", f"key {key.id}")
    return key, secret


def revoke_api_key(actor: Actor, key_id: int) -> ApiKey:
    """Make one of the actor's own keys useless."""
    key = users.revoke_api_key(actor.session, key_id, now=actor.clock())
    if key.user_id != actor.user.id:
        raise NotFoundError("there is no API key %(key_id)s", key_id=key_id)
    actor.record("key revoked", f"key {key_id}")
    return key


def revoke_any_key(actor: Actor, key_id: int) -> ApiKey:
    """Make anybody's key useless; for admins."""
    key = users.revoke_api_key(actor.session, key_id, now=actor.clock())
    actor.record("key revoked", f"key {key_id}")
    return key


def change_own_password(actor: Actor, *, current: str, new: str) -> User:
    """Change the actor's own password, which ends all their sessions."""
    user = users.change_own_password(
        actor.session, email=actor.user.email, current=current, new=new
    )
    actor.record("password changed", f"user {user.id}")
    return user


def set_reading(actor: Actor, *, language: str, zone: str) -> User:
    """Set the language and the time zone that the actor reads in; empty follows the browser."""
    user = actor.session.get_one(User, actor.user.id)
    if (language and language not in LANGUAGES) or (zone and not is_zone(zone)):
        raise InputError("there is no such language or time zone")
    user.language, user.zone = language, zone
    actor.record("language and time set", f"user {user.id}")
    return user


def create_user(actor: Actor, *, email: str, name: str, role: Role, password: str) -> User:
    """Create a user."""
    user = users.create_user(
        actor.session, email=email, name=name, role=role, password=password, now=actor.clock()
    )
    actor.record(f"user created as {role}", f"user {user.id}")
    return user


def change_user(
    actor: Actor,
    user_id: int,
    *,
    role: Role | None = None,
    is_active: bool | None = None,
    password: str | None = None,
) -> User:
    """Change a user; what is None stays."""
    user = actor.session.get(User, user_id)
    if user is None:
        raise NotFoundError("there is no user %(user_id)s", user_id=user_id)
    if role is not None:
        users.set_role(actor.session, email=user.email, role=role)
        actor.record(f"role set to {role}", f"user {user_id}")
    if is_active is not None:
        users.set_active(actor.session, email=user.email, is_active=is_active)
        actor.record("user switched " + ("on" if is_active else "off"), f"user {user_id}")
    if password is not None:
        users.set_password(actor.session, email=user.email, password=password)
        actor.record("password set", f"user {user_id}")
    return user
