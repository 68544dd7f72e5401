"""Cases and notes in HubSpot: tickets and notes of a contact, known by a unique property of ours.

A record is made together with its association, in one call, so that none is ever without its
contact; the unique property refuses a second one with the same key. What HubSpot calls the stage
of a ticket is its state: the stage that is set for open ones, the one for closed ones, or
whatever stage a person moved it to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from crm_link.calls.rest import RestClient
from crm_link.types import ContactUpdate, RecordKind, WriteResult

#: Our unique property, and the one that says whose record it is.
KEY, CONTACT = "groundswell_key", "groundswell_contact"

_OBJECTS = {RecordKind.CASE: "tickets", RecordKind.NOTE: "notes"}

#: HubSpot's numbers of the associations of a ticket, and of a note, with a contact.
_ASSOCIATIONS = {RecordKind.CASE: 16, RecordKind.NOTE: 202}

_PASSING = frozenset({"RATE_LIMITS", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "CONFLICT"})


@dataclass(frozen=True, slots=True)
class TicketDesk:
    """Where tickets go.

    Args:
        pipeline: The pipeline's id.
        open_stage: The stage of new tickets.
        closed_stage: The stage of those that are dealt with.
        owner: The id of the owner they get; empty leaves it to HubSpot's rules.

    """

    pipeline: str
    open_stage: str
    closed_stage: str
    owner: str


class HubspotCases:
    """Tickets and notes by our keys."""

    def __init__(self, api: RestClient, desk: TicketDesk) -> None:
        self._api = api
        self._desk = desk

    def read(self, kind: RecordKind, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what these records say."""
        return {key: found for key, (_, found) in self._found(kind, keys).items()}

    def write(self, kind: RecordKind, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Make, change and take away records; return one result each, in order."""
        there = self._found(kind, [update.external_id for update in updates])
        gone = [one for one in updates if not any(one.fields.values())]
        made = [one for one in updates if one not in gone and one.external_id not in there]
        changed = [one for one in updates if one not in gone and one.external_id in there]
        failed: dict[str, WriteResult] = {}
        if ids := [there[one.external_id][0] for one in gone if one.external_id in there]:
            self._batch(kind, "archive", [{"id": one} for one in ids])
        if made:
            answer = self._batch(kind, "create", [self._new(kind, one) for one in made])
            failed |= _failures(answer, made)
        if changed:
            inputs = [
                {
                    "id": there[one.external_id][0],
                    "properties": self._properties(kind, _whole(kind, one, there)),
                }
                for one in changed
            ]
            answer = self._batch(kind, "update", inputs)
            failed |= _failures(answer, changed, {there[one][0]: one for one in there})
        return [failed.get(one.external_id, WriteResult(one.external_id)) for one in updates]

    def setup(self) -> list[str]:
        """Create our properties of tickets and notes; return the created ones."""
        created: list[str] = []
        for name in _OBJECTS.values():
            known = self._api.read("GET", f"/crm/v3/properties/{name}")
            there = {one["name"] for one in known["results"]}
            missing = [one for one in (KEY, CONTACT) if one not in there]
            if not missing:
                continue
            groups = self._api.read("GET", f"/crm/v3/properties/{name}/groups")
            inputs = [
                {
                    "name": one,
                    "label": one.replace("_", " ").capitalize(),
                    "type": "string",
                    "fieldType": "text",
                    "groupName": groups["results"][0]["name"],
                    "hasUniqueValue": one == KEY,
                }
                for one in missing
            ]
            path = f"/crm/v3/properties/{name}/batch/create"
            self._api.call("POST", path, json={"inputs": inputs})
            created += [f"{name}.{one}" for one in missing]
        return created

    def _found(
        self, kind: RecordKind, keys: Sequence[str]
    ) -> dict[str, tuple[str, dict[str, Any]]]:
        answer = self._api.read(
            "POST",
            f"/crm/v3/objects/{_OBJECTS[kind]}/batch/read",
            json={
                "idProperty": KEY,
                "properties": [KEY, *self._names(kind).values()],
                "inputs": [{"id": key} for key in keys],
            },
        )
        return {
            one["properties"][KEY]: (str(one["id"]), self._said(kind, one["properties"]))
            for one in answer["results"]
        }

    def _batch(self, kind: RecordKind, what: str, inputs: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON
        path = f"/crm/v3/objects/{_OBJECTS[kind]}/batch/{what}"
        return self._api.call("POST", path, json={"inputs": inputs})

    def _names(self, kind: RecordKind) -> dict[str, str]:
        if kind is RecordKind.NOTE:
            return {"body": "hs_note_body", "contact": CONTACT}
        return {
            "subject": "subject",
            "body": "content",
            "priority": "hs_ticket_priority",
            "state": "hs_pipeline_stage",
            "contact": CONTACT,
        }

    def _said(self, kind: RecordKind, properties: Mapping[str, Any]) -> dict[str, Any]:
        said = {name: properties.get(api) for name, api in self._names(kind).items()}
        if kind is RecordKind.NOTE:
            # A note has no subject: it is the first line of its text.
            subject, _, body = (said["body"] or "").partition("\n")
            return {**said, "subject": subject, "body": body}
        stages = {self._desk.open_stage: "open", self._desk.closed_stage: "closed"}
        stage = said["state"]
        state = stages.get(stage, f"stage {stage}") if stage else None
        return {**said, "state": state, "priority": (said["priority"] or "").lower() or None}

    def _properties(self, kind: RecordKind, update: ContactUpdate) -> dict[str, str]:
        fields = {name: str(value or "") for name, value in update.fields.items()}
        if kind is RecordKind.NOTE:
            text = "\n".join(filter(None, (fields.pop("subject", ""), fields.pop("body", ""))))
            fields |= {"body": text} if text else {}
        if "priority" in fields:
            fields["priority"] = fields["priority"].upper()
        if "state" in fields:
            is_open = fields["state"] == "open"
            fields["state"] = self._desk.open_stage if is_open else self._desk.closed_stage
        return {self._names(kind)[name]: value for name, value in fields.items()}

    def _new(self, kind: RecordKind, update: ContactUpdate) -> dict[str, Any]:
        properties = {KEY: update.external_id, **self._properties(kind, update)}
        if kind is RecordKind.CASE:
            properties["hs_pipeline"] = self._desk.pipeline
            properties.setdefault("hs_pipeline_stage", self._desk.open_stage)
        else:
            properties["hs_timestamp"] = datetime.now(UTC).isoformat(timespec="seconds")
        if self._desk.owner:
            properties["hubspot_owner_id"] = self._desk.owner
        link = {
            "associationCategory": "HUBSPOT_DEFINED",
            "associationTypeId": _ASSOCIATIONS[kind],
        }
        contact = {"id": str(update.fields.get("contact"))}
        return {"properties": properties, "associations": [{"to": contact, "types": [link]}]}


def _whole(
    kind: RecordKind, update: ContactUpdate, there: Mapping[str, tuple[str, Mapping[str, Any]]]
) -> ContactUpdate:
    """Return a note's update with its subject and text, which are one property."""
    if kind is RecordKind.CASE:
        return update
    said = there[update.external_id][1]
    text = {name: said.get(name) for name in ("subject", "body")}
    return replace(update, fields={**text, **update.fields})


def _failures(
    answer: Mapping[str, Any],
    updates: Sequence[ContactUpdate],
    keys: Mapping[str, str] | None = None,
) -> dict[str, WriteResult]:
    """Return what became of records that a batch did not take.

    Args:
        answer: HubSpot's.
        updates: What was sent.
        keys: Our keys by HubSpot's ids, where errors name these; else a record that is not among
            the results failed.

    """
    problems = (answer or {}).get("errors") or ()
    if not problems:
        return {}
    failed: dict[str, WriteResult] = {}
    for problem in problems:
        category = str(problem.get("category") or "unknown")
        for one in problem.get("context", {}).get("ids") or ():
            key = (keys or {}).get(str(one), str(one))
            failed[key] = _failure(key, category)
    written = {one.get("properties", {}).get(KEY) for one in answer.get("results", ())}
    category = str(problems[0].get("category") or "unknown")
    for update in updates:
        if update.external_id not in written and update.external_id not in failed:
            failed[update.external_id] = _failure(update.external_id, category)
    return failed


def _failure(key: str, category: str) -> WriteResult:
    return WriteResult(key, error=f"HubSpot: {category}", is_transient=category in _PASSING)
