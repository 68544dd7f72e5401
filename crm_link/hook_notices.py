"""What a webhook of a CRM changes, in one transaction; and reading again whom it named."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.bulk import insert_new, upsert
from config.clock import Clock, utc_now
from config.db import read_session
from config.errors import ConflictError, InputError
from crm_link.contacts.joining import mark_records
from crm_link.contacts.mirror import SyncResult, store_page
from crm_link.contacts.one_person import with_same
from crm_link.context import LinkContext, load_context
from crm_link.crm import Crm
from crm_link.hook import MOST_NOTICES, WINDOW, HookRequest, Notice, NoticeKind
from crm_link.hook_models import CrmHookSeen, CrmRecheck
from crm_link.linking.due import mark_due
from crm_link.linking.matching_models import ContactConsent
from crm_link.models import Contact
from crm_link.types import ContactPage, ContactRecord
from crm_link.withdrawals import ANY

#: What stands with a consent that a CRM said is withdrawn.
NOTED = "the CRM's webhook said that it was withdrawn"

#: Letters of a contact's id in the longest of CRMs.
LONGEST_ID = 200


def take_notices(
    session: Session,
    crm: str,
    request: HookRequest,
    notices: Sequence[Notice],
    *,
    now: datetime,
    context: LinkContext | None = None,
) -> int:
    """Record what a signed request of `crm` says; return how many contacts it names.

    All of them are read again at the next sync. Deletions and withdrawn consents hold at once.

    Raises:
        ConflictError: The same request came already.
        InputError: It names too many contacts, or one without an id.

    """
    if len(notices) > MOST_NOTICES or any(
        not 0 < len(one.external_id) <= LONGEST_ID for one in notices
    ):
        raise InputError(f"a webhook names at most {MOST_NOTICES} contacts, each with an id")
    session.execute(delete(CrmHookSeen).where(CrmHookSeen.at < now - 2 * WINDOW))
    digest = hashlib.sha256(b"\0".join((crm.encode(), _signature(request), request.body)))
    seen = {"digest": digest.hexdigest(), "at": now}
    if not insert_new(session, CrmHookSeen, [seen], key=["digest"]):
        raise ConflictError("this webhook came already")
    rows = [
        {"crm": crm, "external_id": one, "heard_at": now}
        for one in sorted({notice.external_id for notice in notices})
    ]
    upsert(session, CrmRecheck, rows, key=["crm", "external_id"], update_columns=["heard_at"])
    context = context or load_context()
    gone = _of_kind(notices, NoticeKind.DELETED)
    records = tuple(ContactRecord(one, is_deleted=True) for one in gone)
    store_page(session, crm, ContactPage(records, None), now, context)
    _opt_out(session, crm, _of_kind(notices, NoticeKind.OPTED_OUT), now, context)
    return len(rows)


def recheck_contacts(
    sessions: sessionmaker[Session],
    crm: Crm,
    *,
    name: str,
    clock: Clock = utc_now,
    context: LinkContext | None = None,
) -> SyncResult:
    """Read the contacts again that webhooks of the CRM `name` named.

    One that is not there any more is deleted. What a CRM cannot tell is left to its sync.
    """
    total = SyncResult()
    while True:
        began = clock()
        with read_session(sessions) as session:
            ids = session.scalars(
                select(CrmRecheck.external_id)
                .where(CrmRecheck.crm == name, CrmRecheck.heard_at <= began)
                .order_by(CrmRecheck.heard_at, CrmRecheck.external_id)
                .limit(crm.batch_size)
            ).all()
        if not ids:
            return total
        page = crm.contacts_of(ids)
        with sessions.begin() as session:
            if page is not None:
                total += store_page(session, name, page, clock(), context or load_context())
            # One that was named again meanwhile is read again.
            session.execute(
                delete(CrmRecheck).where(
                    CrmRecheck.crm == name,
                    any_of(session, CrmRecheck.external_id, ids),
                    CrmRecheck.heard_at <= began,
                )
            )


def _opt_out(
    session: Session, crm: str, external_ids: Collection[str], now: datetime, context: LinkContext
) -> None:
    """Take back what these contacts agreed to, and say that they must not be contacted.

    The withdrawal is kept also where nothing was recorded: it holds for the person's records in
    other CRMs (`crm_link.withdrawals`).
    """
    if not external_ids:
        return
    contact_ids = session.scalars(
        select(Contact.id).where(
            Contact.crm == crm, any_of(session, Contact.external_id, list(external_ids))
        )
    ).all()
    theirs = with_same(session, contact_ids)
    mark_due(session, keys=(), contact_ids=theirs, now=now, context=context)
    session.execute(
        update(ContactConsent)
        .where(
            any_of(session, ContactConsent.contact_id, contact_ids),
            ContactConsent.revoked_at.is_(None),
        )
        .values(revoked_at=now, revoked_by=crm)
    )
    session.add_all(
        ContactConsent(
            contact_id=contact_id,
            scope=ANY,
            note=NOTED,
            recorded_by=crm,
            recorded_at=now,
            revoked_by=crm,
            revoked_at=now,
        )
        for contact_id in contact_ids
    )
    session.execute(
        update(Contact)
        .where(any_of(session, Contact.id, contact_ids))
        .values(do_not_contact=True, record_hash="", updated_at=now)
    )
    mark_records(session, contact_ids, now)


def _of_kind(notices: Sequence[Notice], kind: NoticeKind) -> list[str]:
    return sorted({one.external_id for one in notices if one.kind is kind})


def _signature(request: HookRequest) -> bytes:
    """Return what signs a request: an equal body that is sent and signed anew is another one."""
    names = ("x-hubspot-signature-v3", "x-groundswell-signature")
    return "".join(request.headers.get(name, "") for name in names).encode()
