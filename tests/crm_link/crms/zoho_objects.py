"""Zoho's cases and tasks as far as we call them: upsert by a unique field, COQL, deletion."""

from __future__ import annotations

import re
from typing import Any

from tests.crm_link.crms.server import Answer, Call, FakeCrm

_KEY = "Groundswell_Key"
_FROM = re.compile(r"select (.+) from (Cases|Tasks) where Groundswell_Key in \((.+)\)")
_WHOSE = {"Cases": "Related_To", "Tasks": "Who_Id"}
_STATES = {"New": "open", "Closed": "closed"}


class ZohoObjects(FakeCrm):
    """The part of Zoho that is no contact."""

    def answer_objects(self, call: Call) -> Answer | None:
        path = call.path.removeprefix("/crm/v8/")
        if path == "coql":
            return self._select(call.body["select_query"])
        if path == "settings/fields" and call.query["module"] in _WHOSE:
            return self._fields(call, call.query["module"])
        name = path.partition("/")[0]
        if name not in _WHOSE:
            return None
        if call.method == "DELETE":
            ids = call.query["ids"].split(",")
            for one in ids:
                self.objects[name].pop(one, None)
            return 200, {"data": [{"status": "success", "details": {"id": one}} for one in ids]}
        assert path == f"{name}/upsert"
        assert (call.body["duplicate_check_fields"], call.body["trigger"]) == ([_KEY], [])
        return 200, {"data": [self._upsert(name, one) for one in call.body["data"]]}

    def _fields(self, call: Call, name: str) -> Answer:
        if call.method == "POST":
            (shape,) = call.body["fields"]
            assert (shape["field_label"], bool(shape["unique"])) == ("Groundswell Key", True)
            self.ready.add(name)
            return 200, {"fields": [{"code": "SUCCESS"}]}
        ours = [_KEY] if name in self.ready else []
        return 200, {"fields": [{"api_name": one} for one in ("Subject", *ours)]}

    def _select(self, query: str) -> Answer:
        match = _FROM.fullmatch(query)
        assert match is not None
        names, name, keys = match[1].split(", "), match[2], re.findall(r"'([^']+)'", match[3])
        assert len(keys) <= 50
        if name not in self.ready:
            return 400, {"code": "INVALID_QUERY", "details": {"column_name": _KEY}}
        rows = [
            {field: one.get(field) for field in names} | {"id": one_id}
            for one_id, one in self.objects.get(name, {}).items()
            if one[_KEY] in keys
        ]
        return (200, {"data": rows, "info": {}}) if rows else (204, None)

    def _upsert(self, name: str, values: dict[str, Any]) -> dict[str, Any]:
        there = self.objects.setdefault(name, {})
        key = values[_KEY]
        if code := self.refused.get(key):
            return {"status": "error", "code": code}
        contact = values.get(_WHOSE[name])
        if contact is not None and contact["id"] not in self.alive():
            return {"status": "error", "code": "INVALID_DATA"}
        for one_id, one in there.items():
            if one[_KEY] == key:
                one.update(values)
                return {"status": "success", "code": "SUCCESS", "details": {"id": one_id}}
        one_id = self.new_id()
        there[one_id] = values
        return {"status": "success", "code": "SUCCESS", "details": {"id": one_id}}

    def cases(self) -> list[dict[str, Any]]:
        return [
            {
                "key": one[_KEY],
                "subject": one["Subject"],
                "body": one["Description"],
                "priority": one["Priority"].lower(),
                "state": _STATES.get(one["Status"], "other"),
                "contact": one["Related_To"]["id"],
                "owner": one["Owner"]["id"],
            }
            for one in self.objects.get("Cases", {}).values()
        ]

    def notes(self) -> list[dict[str, Any]]:
        return [
            {
                "key": one[_KEY],
                "subject": one["Subject"],
                "body": one["Description"],
                "contact": one["Who_Id"]["id"],
            }
            for one in self.objects.get("Tasks", {}).values()
        ]

    def work_on(self, key: str) -> None:
        for one in self.objects["Cases"].values():
            if one[_KEY] == key:
                one["Status"] = "Escalated"
