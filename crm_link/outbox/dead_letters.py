"""Write-backs that did not arrive: a list for people, with the reason in words; retry and drop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from config.bulk import update_rows
from config.errors import ConflictError, NotFoundError
from config.phrases import phrase
from crm_link.models import Contact, DeliveryStatus, WriteBack
from crm_link.writeback import MAX_ATTEMPTS, revive

#: What a CRM's words mean to a person and what helps, the first that fits.
_REASONS = (
    (
        "no such contact",
        phrase(
            "The contact was deleted or merged in the CRM. Drop it: nothing is left to write to."
        ),
    ),
    ("ENTITY_IS_DELETED", phrase("The contact was deleted in the CRM. Drop it.")),
    ("OBJECT_NOT_FOUND", phrase("The CRM has no such contact any more. Drop it.")),
    (
        "crm setup",
        phrase("Our fields are not in the CRM. Run 'groundswell crm setup', then retry."),
    ),
    (
        "DUPLICATES_DETECTED",
        phrase(
            "A duplicate rule in the CRM refuses the change. Merge the duplicates, or let the "
            "rule pass for our user, then retry."
        ),
    ),
    (
        "several records with one external id",
        phrase("Several records in the CRM have the same external id. Merge them, then retry."),
    ),
    ("UNABLE_TO_LOCK_ROW", phrase("Somebody else held the record each time. Retry.")),
    ("RECORD_LOCKED", phrase("The record is locked in the CRM. Unlock it, then retry.")),
    (
        "FIELD_CUSTOM_VALIDATION",
        phrase(
            "A validation rule of the CRM refuses the record. Correct the record or the rule, "
            "then retry."
        ),
    ),
    (
        "REQUIRED_FIELD_MISSING",
        phrase("A field that the CRM requires is empty in the record. Fill it in, then retry."),
    ),
    (
        "MANDATORY_NOT_FOUND",
        phrase("A field that the CRM requires is empty in the record. Fill it in, then retry."),
    ),
    (
        "INSUFFICIENT_ACCESS",
        phrase("Our user may not edit this record. Share it with that user, then retry."),
    ),
    (
        "check its scopes",
        phrase(
            "Our account may not write contacts. Give it the scopes of docs/crms.md, then retry."
        ),
    ),
    ("token", phrase("Our credentials are wrong or have ended. Renew them, then retry.")),
    ("did not answer", phrase("The CRM did not answer. Retry when it is back.")),
    ("took too long", phrase("The CRM was too slow. Retry when it is well.")),
    (
        "did not say",
        phrase("The CRM never said what became of the record. Retry: it is looked at first."),
    ),
    ("answered 5", phrase("The CRM failed. Retry when it is well.")),
    (
        "VALIDATION_ERROR",
        phrase(
            "The CRM refuses a value: one of our fields was changed there. Delete that field, run "
            "'groundswell crm setup', then retry."
        ),
    ),
    (
        "INVALID_DATA",
        phrase(
            "The CRM refuses a value, or the contact is gone. Look at the record, then retry or "
            "drop."
        ),
    ),
)
#: Wordings of errors that are looked at for their reasons, the newest.
_MOST_WORDINGS = 1000

_OTHERWISE = phrase("The CRM refuses the record; its own words say why.")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was given up.

    Args:
        id: Its row in the outbox.
        crm: The CRM.
        external_id: The record there.
        contact_id: The contact.
        contact_name: Their name.
        attempts: How often it was tried.
        reason: Why it was given up, and what helps.
        said: What was said at the last try.
        since: When the change was first queued.

    """

    id: int
    crm: str
    external_id: str
    contact_id: int
    contact_name: str
    attempts: int
    reason: str
    said: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """Why records of a CRM were given up: all that failed for one reason.

    Args:
        crm: The CRM.
        sign: The words of the CRM by which the reason is known; empty: none that is known.
        reason: What it means, and what helps.
        records: How many records, of the newest ones.
        newest_at: When the last of them was given up.

    """

    crm: str
    sign: str
    reason: str
    records: int
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """A page of them; `after` leads to the next one."""

    letters: list[DeadLetter]
    after: int | None


def reason_of(said: str) -> str:
    """Return what a CRM's error means to a person, and what helps. Pure."""
    return _known(said)[1]


def causes_of(session: Session, crms: Sequence[str]) -> list[Cause]:
    """Return why records of some CRMs were given up, by CRM, each reason once."""
    newest = func.max(WriteBack.next_attempt_at)
    rows = session.execute(
        select(WriteBack.crm, WriteBack.last_error, func.count(), newest)
        .where(WriteBack.status == literal_column("'dead'"), WriteBack.crm.in_(crms))
        .group_by(WriteBack.crm, WriteBack.last_error)
        .order_by(newest.desc())
        .limit(_MOST_WORDINGS)
    )
    found: dict[tuple[str, str], Cause] = {}
    for crm, said, count, at in rows:
        sign, reason = _known(said or "")
        one = found.setdefault((crm, sign), Cause(crm, sign, reason, 0, at))
        found[crm, sign] = replace(one, records=one.records + count)
    return [found[key] for key in sorted(found)]


def _known(said: str) -> tuple[str, str]:
    return next((known for known in _REASONS if known[0] in said), ("", _OTHERWISE))


def dead_letters(
    session: Session, crms: Sequence[str], *, after: int = 0, limit: int = 50
) -> DeadLetters:
    """Return the dead letters of some CRMs, oldest first."""
    rows = session.execute(
        select(
            WriteBack.id,
            WriteBack.crm,
            WriteBack.external_id,
            WriteBack.contact_id,
            Contact.name,
            WriteBack.attempts,
            WriteBack.last_error,
            WriteBack.created_at,
        )
        .join(Contact, Contact.id == WriteBack.contact_id)
        .where(
            WriteBack.status == DeliveryStatus.DEAD, WriteBack.crm.in_(crms), WriteBack.id > after
        )
        .order_by(WriteBack.id)
        .limit(limit + 1)
    ).all()
    letters = [
        DeadLetter(
            row.id,
            row.crm,
            row.external_id,
            row.contact_id,
            row.name,
            row.attempts,
            _reason(row.last_error or "", row.attempts),
            row.last_error or "",
            row.created_at,
        )
        for row in rows[:limit]
    ]
    return DeadLetters(letters, letters[-1].id if len(rows) > limit else None)


def retry_letter(session: Session, letter_id: int, *, now: datetime) -> None:
    """Let a dead letter be tried again.

    Raises:
        NotFoundError: There is no such row in the outbox.
        ConflictError: It is not dead (any more).

    """
    _hold(session, letter_id)
    revive(session, [letter_id], now=now)


def retry_letters(session: Session, crms: Sequence[str], *, now: datetime) -> int:
    """Let all dead letters of some CRMs be tried again; return how many there were."""
    return revive(session, _dead_ids(session, crms), now=now)


def drop_letter(session: Session, letter_id: int) -> None:
    """Give a dead letter up; the record is written again when something about it changes.

    Raises:
        NotFoundError: There is no such row in the outbox.
        ConflictError: It is not dead (any more).

    """
    _hold(session, letter_id)
    update_rows(session, WriteBack, [{"id": letter_id, "status": DeliveryStatus.CANCELLED}])


def _dead_ids(session: Session, crms: Sequence[str]) -> Sequence[int]:
    return session.scalars(
        select(WriteBack.id).where(WriteBack.status == DeliveryStatus.DEAD, WriteBack.crm.in_(crms))
    ).all()


def _hold(session: Session, letter_id: int) -> None:
    status = session.scalar(
        select(WriteBack.status).where(WriteBack.id == letter_id).with_for_update()
    )
    if status is None:
        raise NotFoundError("there is no write-back %(letter_id)s", letter_id=letter_id)
    if status is not DeliveryStatus.DEAD:
        raise ConflictError(
            "write-back %(letter_id)s is %(status)s, not dead", letter_id=letter_id, status=status
        )


def _reason(said: str, attempts: int) -> str:
    words = reason_of(said)
    return f"{words} Tried {attempts} times." if attempts >= MAX_ATTEMPTS else words
