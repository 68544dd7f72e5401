"""HubSpot's tickets and notes as far as we call them: batches, unique properties, associations."""

from __future__ import annotations

from typing import Any

from tests.crm_link.crms.server import Answer, Call, FakeCrm

_CONTACT_OF = {"tickets": 16, "notes": 202}
_STAGES = {"1": "open", "4": "closed"}


class HubspotObjects(FakeCrm):
    """The part of HubSpot that is no contact."""

    def answer_objects(self, call: Call) -> Answer | None:
        area, name, *rest = call.path.removeprefix("/crm/v3/").split("/")
        if name not in _CONTACT_OF:
            return None
        if area == "properties":
            return self._properties(call, name)
        if name not in self.ready:
            return 400, {"category": "VALIDATION_ERROR", "message": "PROPERTY_DOESNT_EXIST"}
        assert len(call.body["inputs"]) <= 100
        there = self.objects.setdefault(name, {})
        ways = {
            "read": self._read,
            "archive": self._archive,
            "create": self._create,
            "update": self._update,
        }
        return ways[rest[1]](there, call)

    def _archive(self, there: dict[str, dict[str, Any]], call: Call) -> Answer:
        for one in call.body["inputs"]:
            there.pop(one["id"], None)
        return 204, None

    def _update(self, there: dict[str, dict[str, Any]], call: Call) -> Answer:
        for one in call.body["inputs"]:
            there[one["id"]] |= one["properties"]
        ids = [one["id"] for one in call.body["inputs"]]
        return 200, {"results": [{"id": one, "properties": there[one]} for one in ids]}

    def _properties(self, call: Call, name: str) -> Answer:
        if call.path.endswith("/groups"):
            return 200, {"results": [{"name": f"{name}information"}]}
        if call.method == "POST":
            unique = {one["name"]: one["hasUniqueValue"] for one in call.body["inputs"]}
            assert unique == {"groundswell_key": True, "groundswell_contact": False}
            self.ready.add(name)
            return 201, {"results": call.body["inputs"]}
        ours = ["groundswell_key", "groundswell_contact"] if name in self.ready else []
        return 200, {"results": [{"name": one} for one in ("subject", *ours)]}

    def _read(self, there: dict[str, dict[str, Any]], call: Call) -> Answer:
        assert call.body["idProperty"] == "groundswell_key"
        wanted = {one["id"] for one in call.body["inputs"]}
        found = [
            {"id": one_id, "properties": one}
            for one_id, one in there.items()
            if one["groundswell_key"] in wanted
        ]
        return (200 if len(found) == len(wanted) else 207), {"results": found}

    def _create(self, there: dict[str, dict[str, Any]], call: Call) -> Answer:
        name = call.path.split("/")[4]
        taken = {one["groundswell_key"] for one in there.values()}
        results, errors = [], []
        for one in call.body["inputs"]:
            (link,) = one["associations"]
            assert link["types"][0]["associationTypeId"] == _CONTACT_OF[name]
            key, contact = one["properties"]["groundswell_key"], link["to"]["id"]
            if key in taken:
                return 409, {"category": "CONFLICT"}
            if code := self.refused.get(key):
                errors.append({"category": code, "context": {}})
            elif contact not in self.alive():
                errors.append({"category": "VALIDATION_ERROR", "context": {}})
            else:
                one_id = self.new_id()
                there[one_id] = {**one["properties"], "contact": contact}
                results.append({"id": one_id, "properties": there[one_id]})
        return (207 if errors else 201), {"results": results, "errors": errors}

    def cases(self) -> list[dict[str, Any]]:
        return [
            {
                "key": one["groundswell_key"],
                "subject": one["subject"],
                "body": one["content"],
                "priority": one["hs_ticket_priority"].lower(),
                "state": _STAGES.get(one["hs_pipeline_stage"], "other"),
                "contact": one["contact"],
                "owner": one.get("hubspot_owner_id"),
            }
            for one in self.objects.get("tickets", {}).values()
        ]

    def notes(self) -> list[dict[str, Any]]:
        return [
            {
                "key": one["groundswell_key"],
                "subject": one["hs_note_body"].partition("\n")[0],
                "body": one["hs_note_body"].partition("\n")[2],
                "contact": one["contact"],
            }
            for one in self.objects.get("notes", {}).values()
        ]

    def work_on(self, key: str) -> None:
        for one in self.objects["tickets"].values():
            if one["groundswell_key"] == key:
                one["hs_pipeline_stage"] = "3"
