"""Tryton, through its JSON-RPC: parties in, enrichment as contact mechanisms of the party.

Tryton's stock modules have no custom fields, and a module of ours would have to be installed on
the customer's server. So each of our fields is a contact mechanism of the kind "other" whose
name is the field's (`groundswell_handles`): people see it on the party, can search for it, and a
value that they change is known as theirs. All of a batch is one call, and one transaction there.

Contacts are read by id, then what changed since the newest change seen, in the party, its
mechanisms or its addresses; what we write ourselves to mechanisms touches the party and comes
back once, unchanged. Archived and merged parties are gone. One that was deleted leaves nothing
to read: where more ids are missing than before, all ids are asked for. A mechanism that is
deleted by itself, in the list of all mechanisms, is missed until the party changes.

Tryton has no documented limits of calls: its own people may set some. Sessions end after some
minutes without a call, and are begun anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError
from config.settings import read_settings, settings_prefix
from crm_link.calls.account_limits import own_limits
from crm_link.calls.crm_fields import CRM_FIELDS, make_reader
from crm_link.calls.rest_crm import Record, RestCrm, page_of
from crm_link.calls.tryton_cases import TrytonCases
from crm_link.calls.tryton_rpc import Fault, TrytonRpc
from crm_link.calls.tryton_values import (
    OURS,
    PARTY_FIELDS,
    READ_FIELDS,
    changed_at,
    flatten,
    from_time,
    in_numbers,
    is_gone,
)
from crm_link.types import ContactPage, ContactRecord, ContactUpdate, RecordKind, WriteResult

#: Parties in one answer.
PAGE_SIZE = 500

#: What a later sync looks back: a stamp is of a transaction's begin, and is seen at its end.
OVERLAP = timedelta(minutes=2)

_DEFAULTS = {
    **{name: name for name in ("id", "name", "email", "phone", "website", "country", "region")},
    "city": "city",
    "handle": "handles",
    "tier": "categories",
    "do_not_contact": "do_not_contact",
}


class TrytonSettings(BaseSettings):
    """Settings of Tryton."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_TRYTON_", extra="ignore", frozen=True)

    base_url: str = Field(
        default="", description="Where the Tryton server answers, such as https://erp.example.org."
    )
    database: str = Field(default="", description="Name of Tryton's database.")
    user: str = Field(default="", description="Login of a Tryton user who may edit parties.")
    password: SecretStr = Field(default=SecretStr(""), description="That user's password.")
    mapping: dict[str, str] = Field(
        default_factory=dict,
        description="JSON: what stands in which of the fields that a party is read as, for "
        'example `{"tier": "", "owner": "code"}`; see docs/crms.md.',
    )
    do_not_contact_category: str = Field(
        default="", description="Category of parties who must not be contacted."
    )
    relationship_source: str | None = Field(
        default=None,
        description="Where Tryton's parties come from, if their records do not say: consent, "
        "provided_by_person, prior_relationship, public_directory.",
    )
    calls_a_minute: int = Field(
        default=0,
        ge=0,
        description="Calls that all processes together make in a minute at most; 0: no limit.",
    )
    calls_at_once: int = Field(
        default=0,
        ge=0,
        description="Calls that all processes together make at one moment at most; 0: no limit.",
    )
    timeout_s: float = Field(default=30.0, gt=0, description="Longest wait for Tryton, seconds.")


class TrytonCrm(RestCrm):
    """Tryton's parties."""

    batch_size = 100
    kinds = frozenset(RecordKind)

    def __init__(self, *, account: str = "") -> None:
        """Read the settings; nothing is called yet.

        Raises:
            InputError: A setting is missing, or the mapping names what is not there.

        """
        settings = read_settings(TrytonSettings, account)
        prefix = settings_prefix(TrytonSettings, account)
        for name in ("base_url", "database", "user"):
            if not getattr(settings, name):
                raise InputError("set %(it)s", it=f"{prefix}{name.upper()}")
        named = {one for said in settings.mapping.values() for one in said.split("|") if one}
        if unknown := sorted(named - set(READ_FIELDS)):
            raise InputError(
                "%(prefix)sMAPPING names %(unknown)s; a party is read as %(known)s",
                prefix=prefix,
                unknown=", ".join(unknown),
                known=", ".join(READ_FIELDS),
            )
        self._rpc = TrytonRpc(
            settings.base_url,
            settings.database,
            settings.user,
            settings.password,
            settings=prefix,
            limits=own_limits(settings.calls_a_minute, settings.calls_at_once),
            timeout_s=settings.timeout_s,
        )
        self._category = settings.do_not_contact_category
        reader = make_reader(_DEFAULTS, settings.mapping, settings.relationship_source)
        super().__init__(self._rpc.api, reader)
        self._desk = TrytonCases(self._rpc)

    def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
        """Yield all parties by id, or what changed since `cursor`; then who is gone."""
        state = orjson.loads(cursor) if cursor else {}
        since, newest = state.get("since"), state.get("newest")
        after = state.get("after", 0)
        while True:
            found = self._changed(since, after)
            if not found:
                break
            after = found[-1]["id"]
            stamps = [newest, *(_iso(changed_at(one)) for one in found)]
            newest = max(filter(None, stamps), default=None)
            page = {**state, "since": since, "newest": newest, "after": after}
            yield self._page(found, orjson.dumps(page).decode())
        top, missing, gone = self._missing_ids(state.get("top", 0), state.get("missing"))
        done = {"since": newest, "newest": newest, "after": 0, "top": top, "missing": missing}
        yield ContactPage(gone, orjson.dumps(done).decode())

    def check(self) -> None:
        """Ask for one party."""
        self._rpc.read("model.party.party.search", [], 0, 1, None)

    def close(self) -> None:
        """Give up the connections."""
        self._rpc.close()

    def _send(self, updates: Sequence[ContactUpdate]) -> dict[str, WriteResult]:
        there = self._mechanisms([update.external_id for update in updates])
        gone = [one.external_id for one in updates if one.external_id not in there]
        failed = {one: WriteResult(one, error="Tryton: there is no such party") for one in gone}
        changes = {
            update.external_id: commands
            for update in updates
            if update.external_id in there
            and (commands := _commands(update, there[update.external_id]))
        }
        if not changes:
            return failed
        try:
            self._write(changes)
        except Fault as fault:
            if len(changes) == 1:
                (one,) = changes
                return {**failed, one: _failure(one, fault)}
            for one, commands in changes.items():
                # One record spoils the transaction of all: each by itself.
                try:
                    self._write({one: commands})
                except Fault as own:
                    failed[one] = _failure(one, own)
        return failed

    def _records(self, external_ids: Sequence[str]) -> dict[str, Record]:
        return {
            one: {name: found[0]["value"] for name, found in ours.items()}
            for one, ours in self._mechanisms(external_ids).items()
        }

    def _write(self, changes: Record) -> None:
        pairs: list[Any] = []
        for one, commands in changes.items():
            pairs += [[int(one)], {"contact_mechanisms": commands}]
        self._rpc.call("model.party.party.write", *pairs)

    def _mechanisms(self, external_ids: Sequence[str]) -> dict[str, dict[str, list[Record]]]:
        """Return our mechanisms by party and name, the oldest first, of parties that are there."""
        ids = in_numbers(external_ids)
        alive = self._rpc.read("model.party.party.search", [["id", "in", ids]], 0, None, None)
        rows = self._rpc.read(
            "model.party.contact_mechanism.search_read",
            [["party", "in", alive], ["name", "in", [field.name for field in CRM_FIELDS]]],
            0,
            None,
            [["id", "ASC"]],
            ["party", "name", "value"],
        )
        found: dict[str, dict[str, list[Record]]] = {str(one): {} for one in alive}
        for row in rows:
            found[str(row["party"])].setdefault(row["name"], []).append(row)
        return found

    def _changed(self, since: str | None, after: int) -> list[Record]:
        domain: list[Any] = [["id", ">", after]]
        if since:
            changed = ["last_modified_at", ">=", from_time(datetime.fromisoformat(since) - OVERLAP)]
            theirs = ["OR", ["name", "=", None], ["name", "not like", f"{OURS.rstrip('_')}\\_%"]]
            domain.append(
                [
                    "OR",
                    changed,
                    ["contact_mechanisms", "where", [changed, theirs]],
                    ["addresses", "where", [changed]],
                ]
            )
        found: list[Record] = self._rpc.read(
            "model.party.party.search_read",
            domain,
            0,
            PAGE_SIZE,
            [["id", "ASC"]],
            list(PARTY_FIELDS),
            archived=True,
        )
        return found

    def _missing_ids(
        self, top: int, before: int | None
    ) -> tuple[int, int, tuple[ContactRecord, ...]]:
        """Return the highest id ever seen, how many below are not there, and which.

        They are named if there are more of them than before. An id is given once; those that
        never became a party are said to be gone too, and nobody knows them.
        """
        search = "model.party.party.search"
        newest = self._rpc.read(search, [], 0, 1, [["id", "DESC"]], archived=True)
        top = max([top, *newest])
        missing = top - self._rpc.read(f"{search}_count", [], archived=True)
        if missing == before:
            return top, missing, ()
        alive = set(self._rpc.read(search, [], 0, None, None, archived=True))
        gone = [one for one in range(1, top + 1) if one not in alive]
        return top, len(gone), tuple(ContactRecord(str(one), is_deleted=True) for one in gone)

    def _page(self, parties: Sequence[Record], cursor: str) -> ContactPage:
        return page_of(
            self._reader,
            [{**one, "id": str(one["id"])} for one in parties],
            cursor,
            values=lambda one: flatten(one, self._category),
            updated_at=changed_at,
            gone=lambda one: (one["id"],) if is_gone(one) else (),
        )


def _commands(update: ContactUpdate, there: dict[str, list[Record]]) -> list[Any]:
    """Return what is to be done to a party's mechanisms; one that is there twice is so no more."""
    commands: list[Any] = []
    spare: list[int] = []
    new: list[dict[str, str]] = []
    for name, value in update.fields.items():
        found = there.get(name, [])
        is_empty = value in (None, "")
        spare += [one["id"] for one in (found if is_empty else found[1:])]
        if is_empty:
            continue
        if not found:
            new.append({"type": "other", "name": name, "value": str(value)})
        elif found[0]["value"] != str(value):
            commands.append(["write", [found[0]["id"]], {"value": str(value)}])
    if new:
        commands.append(["create", new])
    if spare:
        commands.append(["delete", spare])
    return commands


def _failure(external_id: str, fault: Fault) -> WriteResult:
    return WriteResult(external_id, error=f"Tryton: {fault}")


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
