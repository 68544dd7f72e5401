"""Cases and notes in Tryton: notes of the party, because its stock modules have no tickets.

The first lines say what a note is and by which key we know it; the rest is for people. Tryton lets
nobody change a note: one that says something else is made, and the one before is deleted. A note
that a person deleted is not made again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from crm_link.calls.tryton_rpc import Fault, TrytonRpc
from crm_link.types import ContactUpdate, RecordKind, WriteResult

_HEAD = re.compile(
    r"Groundswell (?:case|note) (?P<key>\S+)\n(?P<subject>[^\n]*)\n"
    r"(?:Priority: (?P<priority>[^\n]*)\nState: (?P<state>[^\n]*)\n)?\n(?P<body>.*)",
    re.DOTALL,
)


class TrytonCases:
    """Notes of parties by our keys."""

    def __init__(self, rpc: TrytonRpc) -> None:
        self._rpc = rpc

    def read(self, kind: RecordKind, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what these notes say."""
        return {key: found for key, (_, found) in self._found(kind, keys).items()}

    def write(self, kind: RecordKind, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Make, change and take away notes; return one result each, in order."""
        there = self._found(kind, [update.external_id for update in updates])
        parties = self._parties(updates)
        return [self._write(kind, one, there.get(one.external_id), parties) for one in updates]

    def setup(self) -> list[str]:
        """Create nothing: notes need nothing."""
        return []

    def _write(
        self,
        kind: RecordKind,
        update: ContactUpdate,
        there: tuple[list[int], Mapping[str, Any]] | None,
        parties: Sequence[int],
    ) -> WriteResult:
        key = update.external_id
        try:
            if not any(update.fields.values()):
                if there is not None:
                    self._rpc.call("model.ir.note.delete", there[0])
                return WriteResult(key)
            fields = {**(there[1] if there else {}), **update.fields}
            text = _text(kind, key, fields)
            if there is None and int(fields["contact"]) not in parties:
                return WriteResult(key, error="Tryton: there is no such party")
            resource = f"party.party,{fields['contact']}"
            self._rpc.call("model.ir.note.create", [{"resource": resource, "message": text}])
            if there is not None:
                self._rpc.call("model.ir.note.delete", there[0])
        except Fault as fault:
            return WriteResult(key, error=f"Tryton: {fault}")
        return WriteResult(key)

    def _parties(self, updates: Sequence[ContactUpdate]) -> list[int]:
        ids = {str(one.fields["contact"]) for one in updates if one.fields.get("contact")}
        domain = [["id", "in", sorted(int(one) for one in ids if one.isdecimal())]]
        found: list[int] = self._rpc.read("model.party.party.search", domain, 0, None, None)
        return found

    def _found(
        self, kind: RecordKind, keys: Sequence[str]
    ) -> dict[str, tuple[list[int], dict[str, Any]]]:
        """Return each key's notes, which are more than one after a lost call, and the last one's.

        What it says is in our words.
        """
        heads = [f"Groundswell {kind.value} {key}\n" for key in keys]
        rows = self._rpc.read(
            "model.ir.note.search_read",
            ["OR", *(["message", "like", f"{_escaped(head)}%"] for head in heads)],
            *(0, None, [["id", "ASC"]]),
            ["message", "resource"],
        )
        found: dict[str, tuple[list[int], dict[str, Any]]] = {}
        for row in rows:
            message = row["message"]
            for key, head in zip(keys, heads, strict=True):
                if message.startswith(head):
                    contact = str(row["resource"]).partition(",")[2]
                    before, _ = found.get(key, ([], {}))
                    found[key] = ([*before, row["id"]], _said(message) | {"contact": contact})
        return found


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")


def _text(kind: RecordKind, key: str, fields: Mapping[str, Any]) -> str:
    lines = [f"Groundswell {kind.value} {key}", str(fields.get("subject") or "")]
    if kind is RecordKind.CASE:
        lines += [f"Priority: {fields.get('priority')}", f"State: {fields.get('state')}"]
    return "\n".join([*lines, "", str(fields.get("body") or "")])


def _said(message: str) -> dict[str, Any]:
    match = _HEAD.fullmatch(message)
    if match is None:  # of another version of ours, or made by hand
        return {"subject": message, "body": message, "priority": message, "state": message}
    return {name: match[name] for name in ("subject", "body", "priority", "state")}
