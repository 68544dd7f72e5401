"""Who does not want to be linked: a person of the CRM, or an account of a platform.

What is linked is withdrawn at the next look, and our fields in the CRM are cleared; a keyed hash
says that it is never proposed again. The posts stay: an opt-out is about linking, an erasure
(`crm_link.privacy`) about everything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.clock import Clock, utc_now
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.contacts.one_person import same_people, with_same
from crm_link.context import LinkContext
from crm_link.linking.due import mark_authors, mark_due
from crm_link.linking.matching_models import LinkRefusal
from crm_link.models import Contact
from crm_link.refusals import Reason, get_known_contact, refuse
from listener.cleaning import AUTHOR_ID_LENGTH, fit_id
from listener.models import Author


@dataclass(frozen=True, slots=True)
class OptedOut:
    """What an opt-out found: our row of the account or record, None where we have none yet."""

    author_id: int | None = None
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class OptOutRecord:
    """The record of a CRM in which somebody opted out."""

    contact_id: int
    crm: str
    external_id: str


def opt_out(
    session: Session, contact_id: int, *, context: LinkContext, clock: Clock = utc_now
) -> OptedOut:
    """Link a contact to nobody any more.

    Raises:
        NotFoundError: There is no such contact.

    """
    value = _contact_value(get_known_contact(session, contact_id))
    refuse(session, [("contact", value)], reason=Reason.OPT_OUT, context=context, clock=clock)
    theirs = with_same(session, [contact_id])
    mark_due(session, keys=(), contact_ids=theirs, now=clock(), context=context)
    return OptedOut(contact_id=contact_id)


def opt_in(
    session: Session, contact_id: int, *, context: LinkContext, clock: Clock = utc_now
) -> None:
    """Take a contact's opt-out back: they may be proposed again, as policy allows.

    Raises:
        NotFoundError: There is no such contact, or they did not opt out.
        ConflictError: They did in another record of theirs.

    """
    contact = get_known_contact(session, contact_id)
    own = context.hash_value("refusal contact", _contact_value(contact))
    found = session.execute(
        delete(LinkRefusal)
        .where(LinkRefusal.value_hash == own, LinkRefusal.reason == Reason.OPT_OUT)
        .returning(LinkRefusal.value_hash)
    ).all()
    if not found and (elsewhere := find_opt_out(session, contact_id, context)):
        raise ConflictError(
            "contact %(contact_id)s opted out as %(crm)s %(external_id)s: take it back there",
            contact_id=contact_id,
            crm=elsewhere.crm,
            external_id=elsewhere.external_id,
        )
    if not found:
        raise NotFoundError("contact %(contact_id)s did not opt out", contact_id=contact_id)
    theirs = with_same(session, [contact_id])
    mark_due(session, keys=(), contact_ids=theirs, now=clock(), context=context)


def opt_out_author(
    session: Session,
    platform: str,
    account: str,
    *,
    context: LinkContext,
    clock: Clock = utc_now,
) -> OptedOut:
    """Link an account to nobody any more, also one that has not been seen yet.

    Args:
        session: The transaction.
        platform: Where the account is.
        account: The platform's immutable id, or the handle of an account that we know: a
            handle alone may be somebody else's tomorrow.
        context: The hash key.
        clock: The present.

    Raises:
        InputError: A part is missing.
        NotFoundError: It is a handle (it begins with an @), and we know no such account.

    """
    platform, account = platform.strip().casefold(), account.strip()
    if not platform or not account.lstrip("@"):
        raise InputError("an opt-out of an account needs its platform and id")
    external_id = fit_id(account, AUTHOR_ID_LENGTH)
    known = session.execute(
        select(Author.id, Author.external_id)
        .where(
            Author.platform == platform,
            (Author.external_id == external_id) | (Author.handle == account.lstrip("@")),
        )
        .order_by(Author.external_id != external_id, Author.id.desc())
    ).first()
    if known is None and account.startswith("@"):
        raise NotFoundError(
            "there is no account of this name on %(platform)s; give its id", platform=platform
        )
    value = f"{platform}:{known.external_id if known else external_id}"
    refuse(session, [("author", value)], reason=Reason.OPT_OUT, context=context, clock=clock)
    if known is None:
        return OptedOut()
    mark_authors(session, [known.id], clock())
    return OptedOut(author_id=known.id)


def find_opt_out(session: Session, contact_id: int, context: LinkContext) -> OptOutRecord | None:
    """Return the record in which a person said that they do not want to be linked.

    It is the contact's own, or else another one of the same person.

    Raises:
        NotFoundError: There is no such contact.

    """
    contact = get_known_contact(session, contact_id)
    records = [OptOutRecord(contact.id, contact.crm, contact.external_id)]
    records += [
        OptOutRecord(one.id, one.crm, one.external_id)
        for one in same_people(session, [contact_id]).get(contact_id, ())
    ]
    for record in records:
        value = f"{record.crm}:{record.external_id}"
        if session.get(LinkRefusal, context.hash_value("refusal contact", value)) is not None:
            return record
    return None


def keep_opt_outs(
    session: Session, heirs: Mapping[str, Collection[str]], *, now: datetime, context: LinkContext
) -> None:
    """Let opt-outs of records that the CRM has no more hold for the others of the same people.

    Args:
        session: The transaction.
        heirs: The other records of the person of each that is gone, all as `crm:external id`.
        now: The present.
        context: The hash key.

    """
    by_hash = {
        context.hash_value("refusal contact", gone): theirs for gone, theirs in heirs.items()
    }
    found = session.scalars(
        select(LinkRefusal.value_hash).where(
            any_of(session, LinkRefusal.value_hash, by_hash), LinkRefusal.reason == Reason.OPT_OUT
        )
    )
    values = [("contact", one) for value_hash in found for one in by_hash[value_hash]]
    if values:
        refuse(session, values, reason=Reason.OPT_OUT, context=context, clock=lambda: now)


def _contact_value(contact: Contact) -> str:
    return f"{contact.crm}:{contact.external_id}"
