"""Salesforce's cases and tasks as far as we call them: upsert by external id, SOQL, deletion."""

from __future__ import annotations

import re
from typing import Any

from tests.crm_link.crms.server import Answer, Call, FakeCrm

_KEY = "Groundswell_Key__c"
_FROM = re.compile(r"SELECT (.+) FROM (Case|Task) WHERE Groundswell_Key__c IN \((.+)\)")
_WHOSE = {"Case": "ContactId", "Task": "WhoId"}
_STATES = {"New": "open", "Closed": "closed"}


class SalesforceObjects(FakeCrm):
    """The part of Salesforce that is no contact."""

    def answer_objects(self, call: Call) -> Answer | None:
        path = call.path.removeprefix("/services/data/v64.0")
        if call.method == "GET" and path == "/query" and (match := _FROM.match(call.query["q"])):
            return self._select(match[1], match[2], re.findall(r"'([^']+)'", match[3]))
        if match := re.fullmatch(r"/sobjects/(Case|Task)/describe", path):
            ours = [_KEY] if match[1] in self.ready else []
            return 200, {"fields": [{"name": one} for one in ("Id", "Subject", *ours)]}
        if path == "/tooling/sobjects/CustomField" and _KEY in call.body["FullName"]:
            shape = call.body["Metadata"]
            assert (shape["type"], shape["externalId"], shape["unique"]) == ("Text", True, True)
            owner = call.body["FullName"].partition(".")[0]
            self.ready.add({"Activity": "Task"}.get(owner, owner))
            return 201, {"success": True}
        if match := re.fullmatch(rf"/composite/sobjects/(Case|Task)/{_KEY}", path):
            assert (call.method, call.body["allOrNone"]) == ("PATCH", False)
            return 200, [self._upsert(match[1], one) for one in call.body["records"]]
        if call.method == "DELETE" and path == "/composite/sobjects":
            return 200, [self._delete(one) for one in call.query["ids"].split(",")]
        return None

    def _select(self, names: str, name: str, keys: list[str]) -> Answer:
        if name not in self.ready:
            message = f"No such column '{_KEY}' on entity '{name}'"
            return 400, [{"errorCode": "INVALID_FIELD", "message": message}]
        rows = [
            {field: one.get(field) for field in names.split(", ")} | {"Id": one_id}
            for one_id, one in self.objects.get(name, {}).items()
            if one[_KEY] in keys
        ]
        return 200, {"records": rows, "done": True}

    def _upsert(self, name: str, record: dict[str, Any]) -> dict[str, Any]:
        there = self.objects.setdefault(name, {})
        key = record[_KEY]
        values = {field: value for field, value in record.items() if field != "attributes"}
        if code := self.refused.get(key):
            return {"success": False, "errors": [{"statusCode": code}]}
        contact = values.get(_WHOSE[name])
        if contact is not None and contact not in self.alive():
            return {"success": False, "errors": [{"statusCode": "INVALID_CROSS_REFERENCE_KEY"}]}
        for one_id, one in there.items():
            if one[_KEY] == key:
                one.update(values)
                return {"id": one_id, "success": True, "errors": [], "created": False}
        one_id = self.new_id()
        there[one_id] = values
        return {"id": one_id, "success": True, "errors": [], "created": True}

    def _delete(self, one_id: str) -> dict[str, Any]:
        for there in self.objects.values():
            there.pop(one_id, None)
        return {"id": one_id, "success": True, "errors": []}

    def cases(self) -> list[dict[str, Any]]:
        return [
            {
                "key": one[_KEY],
                "subject": one["Subject"],
                "body": one["Description"],
                "priority": one["Priority"].lower(),
                "state": _STATES.get(one["Status"], "other"),
                "contact": one["ContactId"],
                "owner": one.get("OwnerId"),
            }
            for one in self.objects.get("Case", {}).values()
        ]

    def notes(self) -> list[dict[str, Any]]:
        return [
            {
                "key": one[_KEY],
                "subject": one["Subject"],
                "body": one["Description"],
                "contact": one["WhoId"],
            }
            for one in self.objects.get("Task", {}).values()
        ]

    def work_on(self, key: str) -> None:
        for one in self.objects["Case"].values():
            if one[_KEY] == key:
                one["Status"] = "Working"
