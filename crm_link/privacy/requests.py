"""Requests to erase a person: what would go, and the record that it is to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.clock import Clock, utc_now
from config.db import read_session
from config.errors import InputError, NotFoundError
from crm_link.context import LinkContext
from crm_link.models import IdentityLink
from crm_link.privacy.counting import count_rows
from crm_link.privacy.identifiers import Redaction
from crm_link.privacy.models import ErasureRequest, ErasureState
from crm_link.privacy.subject import Subject, find_subject
from crm_link.types import LinkState


def preview_erasure(
    session: Session, *, author: str = "", contact: str = "", whole_person: bool = False
) -> tuple[Subject, Counter[str]]:
    """Return who would be erased and how many rows of each table are about them.

    Raises:
        InputError, NotFoundError: See `find_subject`.

    """
    subject = find_subject(session, author=author, contact=contact, whole_person=whole_person)
    return subject, count_rows(session, subject.author_ids, subject.contact_ids)


def request_erasure(
    session: Session,
    *,
    author: str = "",
    contact: str = "",
    whole_person: bool = False,
    reason: str,
    by: str,
    context: LinkContext,
    clock: Clock = utc_now,
) -> ErasureRequest:
    """Record that a person is to be erased; `run_erasure` does it.

    Somebody who was erased before is not looked for again: their request is returned.

    Args:
        session: The transaction.
        author: `PLATFORM:ID` with the platform's id or the handle; or empty.
        contact: `CRM:ID`; or empty.
        whole_person: Also every account and record that is confirmed to be theirs.
        reason: Where the request is on file.
        by: Who recorded it.
        context: The hash key.
        clock: The present.

    Raises:
        InputError: It cannot be understood, or no reason is given.
        NotFoundError: Nobody is stored under it, and nobody was erased.

    """
    if not reason.strip():
        raise InputError("an erasure needs a reason: where the request is on file")
    asked = f"author {author}" if author else f"contact {contact}"
    subject_hash = context.hash_value("erasure", asked)
    try:
        subject = find_subject(session, author=author, contact=contact, whole_person=whole_person)
    except NotFoundError:
        earlier = session.scalars(
            select(ErasureRequest)
            .where(ErasureRequest.subject_hash == subject_hash)
            .order_by(ErasureRequest.id.desc())
        ).first()
        if earlier is None:
            raise
        return earlier
    told = session.scalars(
        select(IdentityLink.contact_id).where(
            any_of(session, IdentityLink.author_id, subject.author_ids),
            IdentityLink.state == LinkState.CONFIRMED,
        )
    )
    request = ErasureRequest(
        subject=subject.label,
        subject_hash=subject_hash,
        reason=Redaction(subject.identifiers).in_text(reason.strip()),
        requested_by=by,
        requested_at=clock(),
        state=ErasureState.ROWS,
        plan={
            "author_ids": list(subject.author_ids),
            "contact_ids": list(subject.contact_ids),
            "told_ids": sorted({*told, *subject.contact_ids}),
            "identifiers": [[one.kind.value, one.value] for one in subject.identifiers],
            "kept": subject.kept,
            "counts": {},
        },
        receipts=[],
    )
    session.add(request)
    session.flush()
    return request


def list_erasures(session: Session, *, limit: int = 200) -> Sequence[ErasureRequest]:
    """Return the erasures, newest first."""
    return session.scalars(
        select(ErasureRequest).order_by(ErasureRequest.id.desc()).limit(limit)
    ).all()


def get_erasure(sessions: sessionmaker[Session], request_id: int) -> ErasureRequest:
    """Return a request.

    Raises:
        NotFoundError: There is none.

    """
    with read_session(sessions) as session:
        request = session.get(ErasureRequest, request_id)
    if request is None:
        raise NotFoundError("there is no erasure %(request_id)s", request_id=request_id)
    return request
