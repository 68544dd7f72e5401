"""Salesforce as far as we call it: tokens, queryAll, collections, custom fields."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from crm_link.calls.crm_fields import CRM_FIELDS
from crm_link.crms.salesforce import SalesforceCrm
from tests.crm_link.crms.salesforce_objects import SalesforceObjects
from tests.crm_link.crms.server import Answer, Call

_WHERE = re.compile(
    r"WHERE \(SystemModstamp > (\S+)\) OR \(SystemModstamp = \S+ AND Id > '(\w+)'\) ORDER"
)
_OURS = {field.name: SalesforceCrm.api_name(field.name) for field in CRM_FIELDS}


class FakeSalesforce(SalesforceObjects):
    name = "salesforce"

    NAMES = {  # noqa: RUF012
        "first": "FirstName",
        "last": "LastName",
        "email": "Email",
        "phone": "Phone",
        "x": "Twitter__c",
        "opt_out": "HasOptedOutOfEmail",
        "tier": "Tier__c",
    }

    def environment(self) -> dict[str, str]:
        return {
            "GROUNDSWELL_SALESFORCE_BASE_URL": self.url,
            "GROUNDSWELL_SALESFORCE_CLIENT_ID": "app",
            "GROUNDSWELL_SALESFORCE_CLIENT_SECRET": "made-up",
            "GROUNDSWELL_SALESFORCE_MAPPING": '{"tier": "Tier__c", "x_handle": "Twitter__c"}',
            "GROUNDSWELL_SALESFORCE_CASE_OWNER": "service",
        }

    def is_write(self, call: Call) -> bool:
        return call.path.endswith("/composite/sobjects") and call.method == "PATCH"

    def answer(self, call: Call) -> Answer:
        if call.path == "/services/oauth2/token":
            if call.body.get("client_secret") != "made-up":
                return 400, {"error": "invalid_client"}
            return 200, {"access_token": self.token, "instance_url": self.url}
        if call.headers.get("authorization") != f"Bearer {self.token}":
            return 401, [{"errorCode": "INVALID_SESSION_ID"}]
        return self.answer_objects(call) or self._answer_contacts(call)

    def _answer_contacts(self, call: Call) -> Answer:  # noqa: PLR0911 - one for each path
        match (call.method, call.path.removeprefix("/services/data/v64.0")):
            case ("GET", "/query"):
                return 200, {"records": [], "done": True}
            case ("GET", "/queryAll"):
                return 200, {"records": self._query(call.query["q"]), "done": True}
            case ("POST", "/composite/sobjects/Contact"):
                return 200, [self._ours(one) for one in call.body["ids"]]
            case ("PATCH", "/composite/sobjects"):
                return self._update(call)
            case ("GET", "/sobjects/Contact/describe"):
                return 200, {
                    "fields": [
                        {"name": _OURS.get(one, one)}
                        for one in [*self.NAMES.values(), *self.our_fields]
                    ]
                }
            case ("POST", "/tooling/sobjects/CustomField"):
                api = call.body["FullName"].removeprefix("Contact.")
                assert call.body["Metadata"]["type"] in {"Text", "Number", "DateTime"}
                self.our_fields.add(next(name for name, one in _OURS.items() if one == api))
                return 201, {"success": True}
        return 404, [{"errorCode": "NOT_FOUND"}]

    def _query(self, soql: str) -> list[dict[str, Any]]:
        limit = int(soql.rpartition("LIMIT ")[2])
        match = _WHERE.search(soql)
        rows = sorted(self.contacts, key=lambda one: (self.changed_at[one], one))
        if match:
            since = datetime.fromisoformat(match[1])
            rows = [one for one in rows if (self.changed_at[one], one) > (since, match[2])]
        return [self._row(one) for one in rows[:limit]]

    def _row(self, external_id: str) -> dict[str, Any]:
        values = {
            self.NAMES[name]: value
            for name, value in self.contacts[external_id].items()
            if name in self.NAMES
        }
        stamp = self.changed_at[external_id].strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        return values | {
            "Id": external_id,
            "SystemModstamp": stamp,
            "IsDeleted": external_id in self.gone_at,
        }

    def _ours(self, external_id: str) -> dict[str, Any] | None:
        if external_id not in self.alive():
            return None
        values = self.contacts[external_id]
        return self._row(external_id) | {api: values.get(name) for name, api in _OURS.items()}

    def _update(self, call: Call) -> Answer:
        records = call.body["records"]
        assert call.body["allOrNone"] is False
        if len(records) > 200:
            return 400, [{"errorCode": "EXCEEDED_MAX_SIZE_REQUEST"}]
        if not self.our_fields:
            return 400, [{"errorCode": "INVALID_FIELD", "message": "Groundswell_Handles__c"}]
        names = {api: name for name, api in _OURS.items()}
        answers = []
        for one in records:
            code = self.refusal(one["id"], "ENTITY_IS_DELETED")
            if code:
                answers.append({"success": False, "errors": [{"statusCode": code}]})
                continue
            self.contacts[one["id"]] |= {
                names[api]: value for api, value in one.items() if api in names
            }
            self.touch(one["id"])
            answers.append({"id": one["id"], "success": True, "errors": []})
        return 200, answers
