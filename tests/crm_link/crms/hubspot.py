"""HubSpot as far as we call it: v3 objects, search with its horizon, batches, properties."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.crm_link.crms.hubspot_objects import HubspotObjects
from tests.crm_link.crms.server import Answer, Call


class FakeHubspot(HubspotObjects):
    name = "hubspot"

    #: Ours: name of a plain value to HubSpot's property.
    NAMES = {  # noqa: RUF012
        "first": "firstname",
        "last": "lastname",
        "email": "email",
        "phone": "phone",
        "x": "twitterhandle",
        "opt_out": "hs_email_optout",
        "tier": "lifecyclestage",
    }
    horizon = 10_000
    _order: tuple[tuple[bool, int, int] | None, list[str]] = (None, [])

    def environment(self) -> dict[str, str]:
        return {
            "GROUNDSWELL_HUBSPOT_BASE_URL": self.url,
            "GROUNDSWELL_HUBSPOT_TOKEN": "token-1",
            "GROUNDSWELL_HUBSPOT_TICKET_OWNER": "service",
        }

    def is_write(self, call: Call) -> bool:
        return call.path.endswith("/batch/update")

    def answer(self, call: Call) -> Answer:  # noqa: PLR0911 - one for each path
        if call.headers.get("authorization") != f"Bearer {self.token}":
            return 401, {"category": "INVALID_AUTHENTICATION"}
        match (call.method, call.path.removeprefix("/crm/v3")):
            case ("GET", "/objects/contacts"):
                return 200, self._list(call)
            case ("POST", "/objects/contacts/search"):
                return self._search(call)
            case ("POST", "/objects/contacts/batch/read"):
                return self._batch_read(call)
            case ("POST", "/objects/contacts/batch/update"):
                return self._batch_update(call)
            case ("GET", "/properties/contacts"):
                names = [*self.NAMES.values(), *self.our_fields]
                return 200, {"results": [{"name": name} for name in names]}
            case ("GET", "/properties/contacts/groups"):
                return 200, {"results": [{"name": "contactinformation"}]}
            case ("POST", "/properties/contacts/groups"):
                return 201, call.body
            case ("POST", "/properties/contacts/batch/create"):
                assert all(one["groupName"] == "groundswell" for one in call.body["inputs"])
                self.our_fields |= {one["name"] for one in call.body["inputs"]}
                return 201, {"results": call.body["inputs"]}
        return self.answer_objects(call) or (404, {"category": "OBJECT_NOT_FOUND"})

    def _list(self, call: Call) -> dict[str, Any]:
        archived = call.query.get("archived") == "true"
        # Contacts come and go and never return: their numbers say whether the order is known.
        known = (archived, len(self.contacts), len(self.gone_at))
        if self._order[0] != known:
            self._order = (known, sorted(self.gone_at if archived else self.alive()))
        ids = self._order[1]
        return self._slice(ids, int(call.query.get("after") or 0), int(call.query["limit"]))

    def _search(self, call: Call) -> Answer:
        (given,) = call.body["filterGroups"][0]["filters"]
        assert (given["propertyName"], given["operator"]) == ("lastmodifieddate", "GTE")
        since = datetime.fromtimestamp(int(given["value"]) / 1000, UTC)
        after, limit = int(call.body["after"]), call.body["limit"]
        if limit > 200 or after + limit > self.horizon:
            return 400, {"category": "VALIDATION_ERROR"}
        ids = sorted(
            (one for one in self.alive() if self.changed_at[one] >= since),
            key=lambda one: self.changed_at[one],
        )
        return 200, self._slice(ids, after, limit)

    def _slice(self, ids: list[str], after: int, limit: int) -> dict[str, Any]:
        found: dict[str, Any] = {
            "results": [self._object(one) for one in ids[after : after + limit]]
        }
        if after + limit < len(ids):
            found["paging"] = {"next": {"after": str(after + limit)}}
        return found

    def _object(self, external_id: str) -> dict[str, Any]:
        values = self.contacts[external_id]
        at = self.changed_at[external_id].isoformat().replace("+00:00", "Z")
        properties = {
            self.NAMES.get(name, name): None if value is None else str(value)
            for name, value in values.items()
        }
        merged = [old for old, new in self.merged_into.items() if new == external_id]
        found = {
            "id": external_id,
            "properties": properties
            | {"lastmodifieddate": at, "hs_merged_object_ids": ";".join(merged) or None},
            "updatedAt": at,
            "archived": external_id in self.gone_at,
        }
        if external_id in self.gone_at:
            found["archivedAt"] = self.gone_at[external_id].isoformat().replace("+00:00", "Z")
        return found

    def _batch_read(self, call: Call) -> Answer:
        ids = [one["id"] for one in call.body["inputs"]]
        if len(ids) > 100:
            return 400, {"category": "VALIDATION_ERROR"}
        found = [self._object(one) for one in ids if one in self.alive()]
        return (200 if len(found) == len(ids) else 207), {"results": found}

    def _batch_update(self, call: Call) -> Answer:
        inputs = call.body["inputs"]
        unknown = {
            name for one in inputs for name in one["properties"] if name not in self.our_fields
        }
        if unknown:
            return 400, {"category": "VALIDATION_ERROR", "message": "PROPERTY_DOESNT_EXIST"}
        errors = []
        for one in inputs:
            code = self.refusal(one["id"], "OBJECT_NOT_FOUND")
            if code:
                errors.append({"category": code, "context": {"ids": [one["id"]]}})
                continue
            self.contacts[one["id"]] |= {
                name: value or None for name, value in one["properties"].items()
            }
            self.touch(one["id"])
        return (207 if errors else 200), {"results": [], "errors": errors}
