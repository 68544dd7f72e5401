"""Editing protocols: which file a brand has, who may, the service, the history, the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.deps import Actor, State
from config.errors import ConflictError, InputError, NotFoundError, PermissionDeniedError
from config.held_file import HeldFile
from crm_link.escalation.protocol_parts.edit import ProtocolText, check_text, read_text, write_text
from crm_link.escalation.protocol_parts.history import Sight, record_sight
from crm_link.mentions import get_brand
from listener.brands_file import read_brands
from listener.models import Brand

#: Characters of the reason for an edit.
MOST_WHY = 500


@dataclass(frozen=True, slots=True)
class ProtocolFile:
    """The file of a brand's protocol, and all brands that go by it."""

    path: Path
    brand_keys: tuple[str, ...]


def find_file(state: State, brand_key: str) -> ProtocolFile | None:
    """Return the file of a brand's protocol on this machine; None where there is none."""
    path = state.settings.brands_path()
    if not path.is_file():
        return None
    files = {one.id: one.protocol for one in read_brands(path).brands if one.protocol is not None}
    own = files.get(brand_key)
    if own is None or not own.is_file():
        return None
    return ProtocolFile(own, tuple(key for key, each in files.items() if each == own))


def open_file(session: Session, state: State, brand_key: str) -> tuple[ProtocolFile, ProtocolText]:
    """Return the file of a brand that somebody wants to edit, with what stands in it.

    Raises:
        NotFoundError: There is no such brand, or it has no file here.
        PermissionDeniedError: It is also the protocol of a brand that they do not see.

    """
    get_brand(session, brand_key)
    file = find_file(state, brand_key)
    if file is None:
        raise NotFoundError(
            "brand '%(brand_key)s' has no protocol file on this machine; name one "
            "under `protocol` in brands.yaml",
            brand_key=brand_key,
        )
    _brands_of(session, file)
    return file, read_text(file.path)


def save(
    actor: Actor,
    state: State,
    held: HeldFile | None,
    brand_key: str,
    *,
    text: str,
    base: str,
    why: str,
) -> None:
    """Put a text in the place of a brand's protocol file; in force from the next look on.

    Args:
        actor: Who changes it.
        state: What this process serves from.
        held: The file, held from before the transaction until after its commit.
        brand_key: The brand.
        text: What is to stand in the file.
        base: The digest of what stood there when the edit began.
        why: Why it is changed.

    Raises:
        InputError: The text would be refused, or nobody says why it is changed.
        ConflictError: The file was changed meanwhile, or says the same already.

    """
    file, _ = open_file(actor.session, state, brand_key)
    if held is None or held.path != file.path:
        raise ConflictError("another file is this brand's protocol since just now; try again")
    reason = why.strip()
    if not reason or len(reason) > MOST_WHY:
        raise InputError(
            "say why it is changed, in 1 to %(most_why)s characters: it is kept", most_why=MOST_WHY
        )
    protocol = check_text(file.path, text, base=base)
    now = actor.clock()
    for brand in _brands_of(actor.session, file):
        sight = Sight(brand.id, protocol, file.path.name, actor.name, why=reason)
        record_sight(actor.session, sight, now)
        actor.record("protocol edited", f"brand {brand.id}")
    # Last: what fails before it leaves the file as it is.
    write_text(held, text, base=base)


def _brands_of(session: Session, file: ProtocolFile) -> list[Brand]:
    query = select(Brand).where(Brand.key.in_(file.brand_keys), Brand.is_own())
    brands = list(session.scalars(query.order_by(Brand.id)))
    if len(brands) < len(file.brand_keys):
        raise PermissionDeniedError(
            "%(name)s is the protocol of brands that you do not see, too", name=file.path.name
        )
    return brands
