"""Erasing a person: everything that names them goes, everywhere, with a receipt for each system.

The law behind it is Article 17 of the GDPR; Article 19 asks that the recipients are told, which
are the CRMs. What is left is a keyed hash, by which the same account, post or record is known
when it comes again, and then it is not stored (Article 21: the person objected to it).

An erasure goes through stages (`ErasureState`), each in transactions of its own. A stage may
be done twice, and one that was broken off is done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock, utc_now
from config.db import in_transaction, read_session
from config.errors import AppError, TransientError
from config.logs import get_logger
from config.phrases import nphrase, phrase
from crm_link.context import LinkContext, load_context
from crm_link.crm import Crm, make_crm
from crm_link.privacy.compaction import compact
from crm_link.privacy.identifiers import Identifier, Kind, Redaction
from crm_link.privacy.models import ErasureRequest, ErasureState
from crm_link.privacy.receipts import Receipt, receipt, table_receipts
from crm_link.privacy.records import clear_records, drop_cases, erase_records
from crm_link.privacy.requests import get_erasure
from crm_link.privacy.rows import Counts, erase_authors, erase_contacts, erase_posts
from crm_link.privacy.sweep import PEOPLE, PROTECTED, remaining, sweep
from crm_link.reporting.files import forget_files

#: After how long an erasure that waits for a CRM or the database is tried again.
RETRY_AFTER = timedelta(minutes=5)

#: Rows that go with the CRM's answer.
_LATER = frozenset({"write_back", "crm_journal"})

_log = get_logger(__name__)


def run_erasure(
    sessions: sessionmaker[Session],
    request_id: int,
    *,
    clock: Clock = utc_now,
    context: LinkContext | None = None,
    crms: Callable[[str], Crm] = make_crm,
    on_stage: Callable[[ErasureState], None] | None = None,
) -> ErasureRequest:
    """Take an erasure as far as it goes now; return it. Done ones stay as they are.

    What fails (a CRM that does not answer, a database that is being read) is on the request's
    record and done at the next call; everything else is gone by then.

    Raises:
        NotFoundError: There is no such request.

    """
    context = context or load_context()
    steps: Mapping[ErasureState, Callable[[ErasureRequest], list[Receipt]]] = {
        ErasureState.ROWS: lambda one: _erase_rows(sessions, one, clock(), context),
        ErasureState.CRMS: lambda one: clear_records(
            sessions, one.plan["told_ids"], crms, clock=clock
        ),
        ErasureState.TRACES: lambda one: _erase_traces(sessions, one, crms, clock()),
        ErasureState.COMPACTING: lambda one: _compact(sessions, one),
    }
    following = list(ErasureState)
    while True:
        request = get_erasure(sessions, request_id)
        step = steps.get(request.state)
        if step is None:
            return request
        if on_stage is not None:
            on_stage(request.state)
        try:
            receipts = step(request)
        except (AppError, OperationalError) as error:
            _log.warning("erasure_waits", request=request_id, stage=request.state.value)
            return _record(sessions, request_id, tried_at=clock(), last_error=_reason(error))
        after = following[following.index(request.state) + 1]
        changes: dict[str, Any] = {"state": after, "tried_at": clock(), "last_error": None}
        if after is ErasureState.COMPACTING:
            # No other row names the person now, and neither may this one.
            changes["plan"] = {"tables": sorted(request.plan["counts"])}
        if after is ErasureState.DONE:
            changes |= {"plan": {}, "done_at": clock()}
        _record(sessions, request_id, receipts=receipts, **changes)


def run_open_erasures(sessions: sessionmaker[Session], *, clock: Clock = utc_now) -> int:
    """Take all open erasures on that were not tried lately; return how many were done."""
    with read_session(sessions) as session:
        due = session.scalars(
            select(ErasureRequest.id)
            .where(
                ErasureRequest.state != ErasureState.DONE,
                or_(
                    ErasureRequest.tried_at.is_(None),
                    ErasureRequest.tried_at <= clock() - RETRY_AFTER,
                ),
            )
            .order_by(ErasureRequest.id)
        ).all()
    return sum(run_erasure(sessions, one, clock=clock).state is ErasureState.DONE for one in due)


def _erase_rows(
    sessions: sessionmaker[Session], request: ErasureRequest, now: datetime, context: LinkContext
) -> list[Receipt]:
    plan = request.plan
    receipts = drop_cases(sessions, plan["author_ids"], plan["contact_ids"])
    found = erase_posts(sessions, plan["author_ids"], now)
    found += erase_authors(sessions, plan["author_ids"], now, context)
    found += erase_contacts(sessions, plan["contact_ids"], now, context)
    found += sweep(sessions, _redaction(plan), skip=_LATER)
    found += _forget_files(sessions)
    _add_counts(sessions, request.id, found)
    return [*table_receipts(found, "erased"), *receipts]


def _erase_traces(
    sessions: sessionmaker[Session],
    request: ErasureRequest,
    crms: Callable[[str], Crm],
    now: datetime,
) -> list[Receipt]:
    plan, redaction = request.plan, _redaction(request.plan)
    found, receipts = erase_records(sessions, plan["contact_ids"], crms, now)
    found += sweep(sessions, redaction)
    # Again: one may have been begun before everything was gone.
    found += _forget_files(sessions)
    left = remaining(sessions, redaction)
    stays = {name: rows for name, rows in left.items() if name not in PROTECTED | PEOPLE}
    if stays:
        # Somebody stored a row meanwhile, or a pattern of ours misses what another one finds.
        raise TransientError(
            nphrase(
                "%(num)s row in %(tables)s is left",
                "%(num)s rows in %(tables)s are left",
                sum(stays.values()),
                tables=", ".join(sorted(stays)),
            )
        )
    _add_counts(sessions, request.id, found)
    receipts += table_receipts(found, "erased")
    for names, detail in (
        (PROTECTED, "set by your own people: look at it yourselves"),
        (PEOPLE, "other records of this name or address, or what was not asked for"),
    ):
        kept = {name: rows for name, rows in left.items() if name in names}
        receipts += table_receipts(kept, "kept", detail)
    if plan["kept"]:
        detail = "the address also signs in here, and stays in the audit log"
        receipts.append(receipt("database", "user_account", "kept", plan["kept"], detail))
    receipts.append(receipt("database", "all other rows", "nothing left", 0, "looked through"))
    receipts.append(receipt("logs", "all", "nothing left", 0, "logs hold row numbers only"))
    detail = "files that people exported are not known here; they have to be deleted by hand"
    receipts.append(receipt("files", "exports and backups", "yours", 0, detail))
    return receipts


def _forget_files(sessions: sessionmaker[Session]) -> Counts:
    """Let go of every report's file that was made, or begun, while the person was there."""
    return +Counts({"report_file": in_transaction(sessions, forget_files)})


def _compact(sessions: sessionmaker[Session], request: ErasureRequest) -> list[Receipt]:
    tables = {*request.plan.get("tables", ()), ErasureRequest.__tablename__}
    return [receipt("database", "freed space", "erased", 0, compact(sessions, tables))]


def _redaction(plan: Mapping[str, Any]) -> Redaction:
    return Redaction(Identifier(Kind(kind), value) for kind, value in plan["identifiers"])


def _add_counts(sessions: sessionmaker[Session], request_id: int, found: Counts) -> None:
    with sessions.begin() as session:
        request = session.get_one(ErasureRequest, request_id)
        counts = Counter(request.plan["counts"]) + found
        request.plan = {**request.plan, "counts": dict(counts)}


def _record(
    sessions: sessionmaker[Session],
    request_id: int,
    *,
    receipts: list[Receipt] | None = None,
    **changes: Any,  # noqa: ANN401 - columns of the request
) -> ErasureRequest:
    def change(session: Session) -> ErasureRequest:
        request = session.get_one(ErasureRequest, request_id, with_for_update=True)
        for name, value in changes.items():
            setattr(request, name, value)
        if receipts:
            request.receipts = [*request.receipts, *receipts]
        return request

    return in_transaction(sessions, change)


def _reason(error: Exception) -> str:
    """Return what stopped an erasure, without what a database's message may quote."""
    said = error.said if isinstance(error, AppError) else phrase("the database does not answer")
    return said[:500]
