"""Cases and tasks in Salesforce, upserted by an external id of ours.

A note of an incident is a completed task on the contact. New cases get the owner that is set, a
person or a queue; nothing else of the case is touched later but what has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crm_link.calls.rest import RestClient
from crm_link.calls.rest_cases import KeyedCases, ObjectForm, quoted
from crm_link.calls.rest_crm import Record
from crm_link.types import RecordKind, WriteResult

KEY = "Groundswell_Key__c"

#: Where the fields of a kind are defined: those of tasks are of all activities.
_DEFINED_ON = {"Case": "Case", "Task": "Activity"}
_PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE"})


def make_forms(
    *, owner: str, origin: str, status: str, closed_status: str
) -> dict[RecordKind, ObjectForm]:
    """Return Salesforce's words for cases and notes, with the settings of cases."""
    fixed = {"Origin": origin} | ({"OwnerId": owner} if owner else {})
    case = ObjectForm(
        name="Case",
        key=KEY,
        names={
            "subject": "Subject",
            "body": "Description",
            "priority": "Priority",
            "state": "Status",
            "contact": "ContactId",
        },
        states={"open": status, "closed": closed_status},
        fixed=fixed,
    )
    task = ObjectForm(
        name="Task",
        key=KEY,
        names={"subject": "Subject", "body": "Description", "contact": "WhoId"},
        fixed={"Status": "Completed"},
    )
    return {RecordKind.CASE: case, RecordKind.NOTE: task}


class SalesforceCases(KeyedCases):
    """Cases and tasks by our keys.

    Args:
        api: The client.
        data: The path of the API's version.
        forms: Salesforce's words.

    """

    def __init__(self, api: RestClient, data: str, forms: dict[RecordKind, ObjectForm]) -> None:
        super().__init__(api, forms)
        self._data = data

    def setup(self) -> list[str]:
        """Create our external id on cases and activities."""
        created: list[str] = []
        for name, owner in _DEFINED_ON.items():
            described = self._api.read("GET", f"{self._data}/sobjects/{name}/describe")
            if KEY in {one["name"] for one in described["fields"]}:
                continue
            shape = {"type": "Text", "length": 120, "externalId": True, "unique": True}
            self._api.call(
                "POST",
                f"{self._data}/tooling/sobjects/CustomField",
                json={
                    "FullName": f"{owner}.{KEY}",
                    "Metadata": {"label": "Groundswell Key", **shape},
                },
            )
            created.append(f"{owner}.{KEY}")
        return created

    def _found(self, form: ObjectForm, keys: Sequence[str]) -> Iterable[Record]:
        names = ", ".join(("Id", KEY, *form.names.values()))
        soql = f"SELECT {names} FROM {form.name} WHERE {KEY} IN ({quoted(keys)})"  # noqa: S608 - keys are ours
        found: Iterable[Record] = self._api.read("GET", f"{self._data}/query", params={"q": soql})[
            "records"
        ]
        return found

    def _upsert(self, form: ObjectForm, values: Sequence[Record]) -> Sequence[Record]:
        records = [{"attributes": {"type": form.name}, **one} for one in values]
        answers: Sequence[Record] = self._api.call(
            "PATCH",
            f"{self._data}/composite/sobjects/{form.name}/{KEY}",
            json={"allOrNone": False, "records": records},
        )
        return answers

    def _delete(self, form: ObjectForm, records: Sequence[Record]) -> Sequence[Record]:
        del form
        answers: Sequence[Record] = self._api.call(
            "DELETE",
            f"{self._data}/composite/sobjects",
            params={"ids": ",".join(one["Id"] for one in records), "allOrNone": "false"},
        )
        return answers

    def _result(self, key: str, answer: Record) -> WriteResult:
        if answer.get("success"):
            return WriteResult(key)
        codes = [str(one.get("statusCode") or "UNKNOWN") for one in answer.get("errors", ())]
        is_transient = bool(codes) and all(code in _PASSING for code in codes)
        said = ", ".join(codes) or "UNKNOWN"
        return WriteResult(key, error=f"Salesforce: {said}", is_transient=is_transient)
