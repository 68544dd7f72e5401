"""The tables of contacts: our mirror of the CRMs' people, and the keys they are found by."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, and_, exists, or_, text
from sqlalchemy.orm import Mapped, aliased, column_property, mapped_column

from config.db import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import MappedSQLExpression


class Contact(Base):
    """A person in a CRM: our mirror, known by the CRM's own id.

    `person_id` is the same for all records of one person (`crm_link.contacts.one_person`): the
    smallest of their ids, None where there is one record only. `person_due_at` says since when that
    waits to be found anew. `must_not_contact` is true where one of these records says so.
    """

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("crm", "external_id"),
        Index(
            "ix_contact_tier",
            "tier",
            "id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        *(
            Index(
                name,
                column,
                sqlite_where=text(f"{column} IS NOT NULL"),
                postgresql_where=text(f"{column} IS NOT NULL"),
            )
            for name, column in (
                ("ix_contact_person", "person_id"),
                ("ix_contact_person_due", "person_due_at"),
            )
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    crm: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(200))
    name: Mapped[str]
    family_name: Mapped[str | None] = mapped_column(String(200))
    emails: Mapped[list[str]]
    phones: Mapped[list[str]]
    handles: Mapped[list[str]]  # "platform:handle"
    links: Mapped[list[str]]
    country: Mapped[str | None] = mapped_column(String(10))
    tier: Mapped[str | None]
    value: Mapped[float | None]
    owner: Mapped[str | None]
    relationship_source: Mapped[str | None] = mapped_column(String(40))
    do_not_contact: Mapped[bool] = mapped_column(default=False)
    fields: Mapped[dict[str, Any]]
    record_hash: Mapped[str] = mapped_column(String(64))
    deleted_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    person_id: Mapped[int | None]
    person_due_at: Mapped[datetime | None]

    if TYPE_CHECKING:
        must_not_contact: MappedSQLExpression[bool]


_of_person = aliased(Contact)
Contact.must_not_contact = column_property(
    or_(
        Contact.do_not_contact,
        and_(
            Contact.person_id.is_not(None),
            exists().where(
                _of_person.person_id == Contact.person_id,
                _of_person.do_not_contact,
                _of_person.deleted_at.is_(None),
            ),
        ),
    )
)


class ContactKey(Base):
    """A normalised value by which a contact is found: one index serves all kinds."""

    __tablename__ = "contact_key"
    __table_args__ = (
        UniqueConstraint("kind", "value", "contact_id"),
        Index("ix_contact_key_contact", "contact_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))  # email, phone, handle, link
    value: Mapped[str] = mapped_column(String(500))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
