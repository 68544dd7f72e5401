"""Cases and tasks in Zoho CRM, upserted by a unique field of ours.

Zoho's notes have no fields of one's own, so that nobody could tell whether one is there already:
a note of an incident is a completed task of the contact. Records are looked up by COQL, because
Zoho's search finds a new record only after some time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_link.rest import RestClient
from crm_link.rest_cases import ObjectForm, in_parts, is_removal, quoted
from crm_link.rest_crm import Record
from crm_link.types import ContactUpdate, RecordKind, WriteResult

KEY = "Groundswell_Key"

_LOOK_UPS = ("Related_To", "Who_Id")
_PASSING = frozenset({"INTERNAL_ERROR", "TOO_MANY_REQUESTS", "RECORD_LOCKED", "UNABLE_TO_PROCESS"})


def make_forms(
    *, owner: str, origin: str, status: str, closed_status: str
) -> dict[RecordKind, ObjectForm]:
    """Return Zoho's words for cases and notes, with the settings of cases."""
    fixed: dict[str, Any] = {"Case_Origin": origin}
    case = ObjectForm(
        name="Cases",
        key=KEY,
        names={
            "subject": "Subject",
            "body": "Description",
            "priority": "Priority",
            "state": "Status",
            "contact": "Related_To",
        },
        states={"open": status, "closed": closed_status},
        fixed=fixed | ({"Owner": {"id": owner}} if owner else {}),
    )
    task = ObjectForm(
        name="Tasks",
        key=KEY,
        names={"subject": "Subject", "body": "Description", "contact": "Who_Id"},
        fixed={"Status": "Completed"},
    )
    return {RecordKind.CASE: case, RecordKind.NOTE: task}


class ZohoCases:
    """Cases and tasks by our keys."""

    def __init__(self, api: RestClient, forms: dict[RecordKind, ObjectForm]) -> None:
        self._api = api
        self._forms = forms

    def read(self, kind: RecordKind, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what these records say."""
        form = self._forms[kind]
        return {key: form.said(record) for key, record in self._found(form, keys).items()}

    def write(self, kind: RecordKind, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Make, change and take away records; return one result each, in order."""
        form = self._forms[kind]
        results: dict[str, WriteResult] = {}
        if gone := [one.external_id for one in updates if is_removal(one)]:
            results |= self._remove(form, gone)
        if kept := [one for one in updates if not is_removal(one)]:
            body = {
                "data": [_linked(form.values(one)) for one in kept],
                "duplicate_check_fields": [KEY],
                "trigger": [],
            }
            answer = self._api.call("POST", f"/crm/v8/{form.name}/upsert", json=body)
            for one, said in zip(kept, answer["data"], strict=True):
                results[one.external_id] = _result(one.external_id, said)
        return [results[one.external_id] for one in updates]

    def setup(self) -> list[str]:
        """Create our unique field of cases and tasks."""
        created: list[str] = []
        for form in self._forms.values():
            params = {"module": form.name}
            known = self._api.read("GET", "/crm/v8/settings/fields", params=params)
            if KEY in {one["api_name"] for one in known["fields"]}:
                continue
            shape = {
                "field_label": KEY.replace("_", " "),
                "data_type": "text",
                "length": 120,
                "unique": {"casesensitive": "true"},
            }
            self._api.call(
                "POST", "/crm/v8/settings/fields", params=params, json={"fields": [shape]}
            )
            created.append(f"{form.name}.{KEY}")
        return created

    def _found(self, form: ObjectForm, keys: Sequence[str]) -> dict[str, Record]:
        names = ", ".join((KEY, *form.names.values()))
        found: dict[str, Record] = {}
        for part in in_parts(keys):
            query = f"select {names} from {form.name} where {KEY} in ({quoted(part)})"  # noqa: S608 - keys are ours
            answer = self._api.read("POST", "/crm/v8/coql", json={"select_query": query})
            # Where there is none, the answer is empty (204).
            found |= {one[KEY]: one for one in (answer or {"data": ()})["data"]}
        return found

    def _remove(self, form: ObjectForm, keys: Sequence[str]) -> dict[str, WriteResult]:
        there = self._found(form, keys)
        results = {key: WriteResult(key) for key in keys}
        if there:
            answer = self._api.call(
                "DELETE",
                f"/crm/v8/{form.name}",
                params={
                    "ids": ",".join(str(one["id"]) for one in there.values()),
                    "wf_trigger": "false",
                },
            )
            said = zip(there, answer["data"], strict=True)
            results |= {key: _result(key, one) for key, one in said}
        return results


def _linked(values: dict[str, Any]) -> dict[str, Any]:
    links = {name: {"id": values[name]} for name in _LOOK_UPS if values.get(name)}
    return values | links


def _result(key: str, answer: Record) -> WriteResult:
    if answer.get("status") == "success":
        return WriteResult(key)
    code = str(answer.get("code") or "UNKNOWN")
    return WriteResult(key, error=f"Zoho: {code}", is_transient=code in _PASSING)
