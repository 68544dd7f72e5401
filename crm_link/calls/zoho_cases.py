"""Cases and tasks in Zoho CRM, upserted by a unique field of ours.

Zoho's notes have no fields of one's own, so that nobody could tell whether one is there already:
a note of an incident is a completed task of the contact. Records are looked up by COQL, because
Zoho's search finds a new record only after some time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crm_link.calls.rest_cases import KeyedCases, ObjectForm, quoted
from crm_link.calls.rest_crm import Record
from crm_link.types import RecordKind, WriteResult

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


class ZohoCases(KeyedCases):
    """Cases and tasks by our keys."""

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

    def _found(self, form: ObjectForm, keys: Sequence[str]) -> Iterable[Record]:
        names = ", ".join((KEY, *form.names.values()))
        query = f"select {names} from {form.name} where {KEY} in ({quoted(keys)})"  # noqa: S608 - keys are ours
        answer = self._api.read("POST", "/crm/v8/coql", json={"select_query": query})
        # Where there is none, the answer is empty (204).
        found: Iterable[Record] = answer["data"] if answer else ()
        return found

    def _upsert(self, form: ObjectForm, values: Sequence[Record]) -> Sequence[Record]:
        body = {
            "data": [_linked(one) for one in values],
            "duplicate_check_fields": [KEY],
            "trigger": [],
        }
        answers: Sequence[Record] = self._api.call(
            "POST", f"/crm/v8/{form.name}/upsert", json=body
        )["data"]
        return answers

    def _delete(self, form: ObjectForm, records: Sequence[Record]) -> Sequence[Record]:
        params = {"ids": ",".join(str(one["id"]) for one in records), "wf_trigger": "false"}
        answers: Sequence[Record] = self._api.call("DELETE", f"/crm/v8/{form.name}", params=params)[
            "data"
        ]
        return answers

    def _result(self, key: str, answer: Record) -> WriteResult:
        if answer.get("status") == "success":
            return WriteResult(key)
        code = str(answer.get("code") or "UNKNOWN")
        return WriteResult(key, error=f"Zoho: {code}", is_transient=code in _PASSING)


def _linked(values: Record) -> dict[str, Any]:
    links = {name: {"id": values[name]} for name in _LOOK_UPS if values.get(name)}
    return {**values, **links}
