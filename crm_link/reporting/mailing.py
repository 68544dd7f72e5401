"""Reports leave by mail: claimed for a lease, rendered, sent, marked; tried again when it fails.

At least once, as alerts: a crash between sending and marking sends again when the lease is
over. The mail server is one apprise address; the recipient is added to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.errors import AppError, InputError, NotFoundError, PermanentError, TransientError
from config.logs import get_logger
from config.phrases import phrase
from config.settings import read_settings
from crm_link.escalation.channel import Attachment, Channel, Message, make_channel
from crm_link.models import DeliveryStatus
from crm_link.reporting.models import ReportMail

log = get_logger(__name__)

#: How long a claimed mail is left alone: a PDF is made, and a server may be slow.
LEASE = timedelta(minutes=5)

#: How long after each failure a mail is tried again; after the last it is given up.
WAITS = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)),
    *(timedelta(hours=hours) for hours in (3, 6, 12)),
)


class MailSettings(BaseSettings):
    """Settings of reports by mail."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_REPORTS_", extra="ignore", frozen=True
    )

    mail: SecretStr = Field(
        default=SecretStr(""),
        description="Mail server that scheduled reports leave through, as an apprise address "
        "without recipients: mailtos://USER:PASSWORD@HOST?from=ADDRESS.",
    )


@dataclass(frozen=True, slots=True)
class Rendered:
    """A report as a mail: its title, what the mail says, and the file."""

    title: str
    body: str
    file: Attachment


#: Makes the mail of a row, in a session that only reads.
Render = Callable[[Session, ReportMail], Rendered]


def deliver_mails(
    sessions: sessionmaker[Session], render: Render, *, clock: Clock, limit: int = 20
) -> int:
    """Send the mails that are due; return how many left.

    Args:
        sessions: Factory of sessions.
        render: Makes a mail's content.
        clock: The present.
        limit: How many this call tries.

    """
    with read_session(sessions) as session:
        due = session.scalars(
            select(ReportMail.id)
            .where(
                ReportMail.status.in_((DeliveryStatus.PENDING, DeliveryStatus.SENDING)),
                ReportMail.next_attempt_at <= clock(),
            )
            .order_by(ReportMail.next_attempt_at, ReportMail.id)
            .limit(limit)
        ).all()
    return sum(_deliver(sessions, mail_id, render, clock) for mail_id in due)


def mail_address(recipient: str) -> str:
    """Return the apprise address that mails to a recipient.

    Raises:
        InputError: No mail server is set.

    """
    server = read_settings(MailSettings).mail.get_secret_value()
    if not server:
        raise InputError(
            "no mail server is set: GROUNDSWELL_REPORTS_MAIL is an apprise address, for example "
            "mailtos://USER:PASSWORD@smtp.example.org?from=reports@example.org"
        )
    return f"{server}{'&' if '?' in server else '?'}to={quote(recipient)}"


def has_mail_server() -> bool:
    """Say whether a mail server is set."""
    return bool(read_settings(MailSettings).mail.get_secret_value())


def _deliver(sessions: sessionmaker[Session], mail_id: int, render: Render, clock: Clock) -> bool:
    mail = _claim(sessions, mail_id, clock())
    if mail is None:
        return False
    try:
        address = mail_address(mail.recipient)
        with read_session(sessions) as session:
            made = render(session, mail)
        message = Message(
            title=made.title,
            body=made.body,
            idempotency_key=mail.idempotency_key,
            attachments=(made.file,),
        )
        channel: Channel = make_channel("apprise")
        channel.send(message, address)
    except (PermanentError, NotFoundError) as error:
        _failed(sessions, mail, error.said, None, clock())
        return False
    except AppError as error:
        # A missing mail server or PDF library may be there tomorrow: those are tried again too.
        after = getattr(error, "retry_after_s", None) if isinstance(error, TransientError) else None
        _failed(sessions, mail, error.said, _wait(mail.attempts, after), clock())
        return False
    except Exception as error:  # noqa: BLE001 - one broken report must not hold up the others
        log.error("report broke", mail_id=mail_id, kind=type(error).__name__)
        message_text = phrase("the report broke with %(kind)s", kind=type(error).__name__)
        _failed(sessions, mail, message_text, _wait(mail.attempts, None), clock())
        return False
    _mark(sessions, mail, {"status": DeliveryStatus.SENT, "sent_at": clock(), "last_error": None})
    log.info("report mailed", mail_id=mail_id, report=mail.kind)
    return True


def _claim(sessions: sessionmaker[Session], mail_id: int, now: datetime) -> ReportMail | None:
    with sessions.begin() as session:
        mail = session.scalar(
            select(ReportMail)
            .where(
                ReportMail.id == mail_id,
                ReportMail.status.in_((DeliveryStatus.PENDING, DeliveryStatus.SENDING)),
                ReportMail.next_attempt_at <= now,
            )
            .with_for_update(skip_locked=True)
        )
        if mail is None:
            return None
        mail.status = DeliveryStatus.SENDING
        mail.attempts += 1
        # The index of due rows is on this column: a lease that is over is due.
        mail.lease_until = mail.next_attempt_at = now + LEASE
        session.flush()
        session.expunge(mail)
        return mail


def _failed(
    sessions: sessionmaker[Session],
    mail: ReportMail,
    error: str,
    wait: timedelta | None,
    now: datetime,
) -> None:
    values: dict[str, object] = {"last_error": error[:500]}
    if wait is None:
        values["status"] = DeliveryStatus.DEAD
    else:
        values |= {"status": DeliveryStatus.PENDING, "next_attempt_at": now + wait}
    _mark(sessions, mail, values)
    log.warning("report not mailed", mail_id=mail.id, is_final=wait is None)


def _wait(attempts: int, retry_after_s: float | None) -> timedelta | None:
    if attempts > len(WAITS):
        return None
    wait = WAITS[attempts - 1]
    return wait if retry_after_s is None else max(wait, timedelta(seconds=retry_after_s))


def _mark(sessions: sessionmaker[Session], mail: ReportMail, values: dict[str, object]) -> None:
    """Write what became of a mail, where it is still ours."""
    with sessions.begin() as session:
        session.execute(
            update(ReportMail)
            .where(
                ReportMail.id == mail.id,
                ReportMail.status == DeliveryStatus.SENDING,
                ReportMail.lease_until == mail.lease_until,
            )
            .values(lease_until=None, **values)
        )
