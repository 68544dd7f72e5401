"""What people change about consent and privacy: the service, then the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.deps import Actor
from api.schemas.privacy import GoneOut
from crm_link import opt_outs, refusals
from crm_link.context import load_context
from crm_link.linking.matching_models import ContactConsent
from crm_link.opt_outs import OptedOut
from crm_link.privacy.access import export_person
from crm_link.privacy.models import ErasureRequest
from crm_link.privacy.requests import request_erasure
from crm_link.privacy.subject import find_subject
from listener.gone_accounts import mark_accounts_gone, mark_posts_gone
from listener.types import DeletedPost, DeletionReason


def record_consent(actor: Actor, contact_id: int, scope: str, note: str) -> ContactConsent:
    """Record that a contact agreed to being linked."""
    consent = refusals.record_consent(
        actor.session,
        contact_id,
        scope,
        note=note,
        by=actor.name,
        context=load_context(),
        clock=actor.clock,
    )
    actor.record(f"consent for {consent.scope} recorded"[:60], f"contact {contact_id}")
    return consent


def revoke_consent(actor: Actor, contact_id: int, consent_id: int) -> ContactConsent:
    """Take a contact's consent back."""
    consent = refusals.revoke_consent(
        actor.session,
        contact_id,
        consent_id,
        by=actor.name,
        context=load_context(),
        clock=actor.clock,
    )
    actor.record(f"consent for {consent.scope} taken back"[:60], f"contact {contact_id}")
    return consent


def opt_out_contact(actor: Actor, contact_id: int) -> OptedOut:
    """Link a contact to nobody any more."""
    found = opt_outs.opt_out(actor.session, contact_id, context=load_context(), clock=actor.clock)
    actor.record("opted out of linking", f"contact {contact_id}")
    return found


def opt_in_contact(actor: Actor, contact_id: int) -> None:
    """Take a contact's opt-out back."""
    opt_outs.opt_in(actor.session, contact_id, context=load_context(), clock=actor.clock)
    actor.record("opt-out taken back", f"contact {contact_id}")


def opt_out_author(actor: Actor, platform: str, account: str) -> OptedOut:
    """Link an account to nobody any more."""
    found = opt_outs.opt_out_author(
        actor.session, platform, account, context=load_context(), clock=actor.clock
    )
    # Not the account itself: it may be one that is not stored, and should not be.
    subject = f"author {found.author_id}" if found.author_id else f"an account on {platform}"
    actor.record("opted out of linking", subject[:200])
    return found


def erase_person(
    actor: Actor, *, author: str = "", contact: str = "", whole_person: bool, reason: str
) -> ErasureRequest:
    """Record that a person is to be erased; the worker does it."""
    request = request_erasure(
        actor.session,
        author=author,
        contact=contact,
        whole_person=whole_person,
        reason=reason,
        by=actor.name,
        context=load_context(),
        clock=actor.clock,
    )
    actor.record("erasure requested", f"erasure {request.id}")
    return request


def tell_person(
    actor: Actor, *, author: str = "", contact: str = "", whole_person: bool
) -> Mapping[str, Any]:
    """Return all that is held about a person."""
    subject = find_subject(actor.session, author=author, contact=contact, whole_person=whole_person)
    held = export_person(actor.session, subject, now=actor.clock())
    actor.record("person exported", subject.label)
    return held


def mark_gone(
    actor: Actor,
    platform: str,
    posts: Mapping[str, DeletionReason],
    accounts: Mapping[str, DeletionReason],
) -> GoneOut:
    """Empty what a platform shows no more."""
    now = actor.clock()
    platform = platform.strip().casefold()
    deleted = [DeletedPost(name, reason) for name, reason in posts.items()]
    mentions = mark_posts_gone(actor.session, platform, deleted, now)
    known, emptied = mark_accounts_gone(actor.session, platform, accounts, now)
    actor.record("platform deletions taken over", f"{mentions + emptied} mentions")
    return GoneOut(mentions=mentions + emptied, accounts=known)
