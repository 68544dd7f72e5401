"""Zoho CRM as far as we call it: tokens, lists with page tokens, updates, fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_link.calls.crm_fields import CRM_FIELDS
from crm_link.crms.zoho import ZohoCrm
from tests.crm_link.crms.server import Answer, Call
from tests.crm_link.crms.zoho_objects import ZohoObjects

_OURS = {field.name: ZohoCrm.api_name(field.name) for field in CRM_FIELDS}


class FakeZoho(ZohoObjects):
    name = "zoho"

    NAMES = {  # noqa: RUF012
        "first": "First_Name",
        "last": "Last_Name",
        "email": "Email",
        "phone": "Phone",
        "x": "Twitter",
        "opt_out": "Email_Opt_Out",
        "tier": "Tier",
    }

    def environment(self) -> dict[str, str]:
        return {
            "GROUNDSWELL_ZOHO_BASE_URL": self.url,
            "GROUNDSWELL_ZOHO_ACCOUNTS_URL": self.url,
            "GROUNDSWELL_ZOHO_CLIENT_ID": "app",
            "GROUNDSWELL_ZOHO_CLIENT_SECRET": "made-up",
            "GROUNDSWELL_ZOHO_REFRESH_TOKEN": "refresh",
            "GROUNDSWELL_ZOHO_MAPPING": '{"tier": "Tier"}',
            "GROUNDSWELL_ZOHO_CASE_OWNER": "service",
        }

    def is_write(self, call: Call) -> bool:
        return call.method == "PUT"

    def answer(self, call: Call) -> Answer:
        if call.path == "/oauth/v2/token":
            if call.body.get("client_secret") != "made-up":
                return 200, {"error": "invalid_client"}
            return 200, {"access_token": self.token, "expires_in": 3600}
        if call.headers.get("authorization") != f"Zoho-oauthtoken {self.token}":
            return 401, {"code": "INVALID_TOKEN"}
        return self.answer_objects(call) or self._answer_contacts(call)

    def _answer_contacts(self, call: Call) -> Answer:  # noqa: PLR0911 - one for each path
        match (call.method, call.path.removeprefix("/crm/v8")):
            case ("GET", "/Contacts") if "ids" in call.query:
                return self._read(call)
            case ("GET", "/Contacts"):
                return self._list(call)
            case ("GET", "/Contacts/deleted"):
                return self._deleted(call)
            case ("PUT", "/Contacts"):
                return self._update(call)
            case ("GET", "/settings/fields"):
                fields = [
                    {"api_name": _OURS.get(one, one)}
                    for one in [*self.NAMES.values(), *self.our_fields]
                ]
                return 200, {"fields": fields}
            case ("POST", "/settings/fields"):
                labels = [one["field_label"].replace(" ", "_") for one in call.body["fields"]]
                self.our_fields |= {name for name, api in _OURS.items() if api in labels}
                return 200, {"fields": [{"code": "SUCCESS"} for _ in labels]}
        return 404, {"code": "INVALID_URL_PATTERN"}

    def _since(self, call: Call) -> datetime | None:
        said = call.headers.get("if-modified-since")
        return datetime.fromisoformat(said) if said else None

    def _list(self, call: Call) -> Answer:
        since = self._since(call)
        ids = sorted(
            (one for one in self.alive() if since is None or self.changed_at[one] >= since),
            key=lambda one: self.changed_at[one],
        )
        if not ids:
            return (304 if since else 204), None
        start, size = int(call.query.get("page_token") or 0), int(call.query["per_page"])
        more = start + size < len(ids)
        return 200, {
            "data": [self._row(one) for one in ids[start : start + size]],
            "info": {
                "more_records": more,
                "next_page_token": str(start + size) if more else None,
            },
        }

    def _row(self, external_id: str) -> dict[str, Any]:
        values = {
            self.NAMES[name]: value
            for name, value in self.contacts[external_id].items()
            if name in self.NAMES
        }
        owner = {"name": "Rosa Owner", "id": "77"}
        at = self.changed_at[external_id].isoformat()
        return values | {"id": external_id, "Modified_Time": at, "Owner": owner}

    def _deleted(self, call: Call) -> Answer:
        since = self._since(call)
        ids = [one for one, at in self.gone_at.items() if since is None or at >= since]
        if not ids:
            return 204, None
        data = [{"id": one, "type": "recycle"} for one in ids]
        return 200, {"data": data, "info": {"more_records": False}}

    def _read(self, call: Call) -> Answer:
        ids = [one for one in call.query["ids"].split(",") if one in self.alive()]
        if not ids:
            return 204, None
        return 200, {
            "data": [
                self._row(one) | {api: self.contacts[one].get(name) for name, api in _OURS.items()}
                for one in ids
            ],
            "info": {},
        }

    def _update(self, call: Call) -> Answer:
        data = call.body["data"]
        if len(data) > 100:
            return 400, {"code": "INVALID_DATA"}
        assert call.body["trigger"] == []
        names = {api: name for name, api in _OURS.items()}
        answers: list[dict[str, Any]] = []
        for one in data:
            code = self.refusal(one["id"], "INVALID_DATA")
            if code:
                answers.append({"status": "error", "code": code})
                continue
            self.contacts[one["id"]] |= {
                names[api]: value for api, value in one.items() if api in names
            }
            self.touch(one["id"])
            answers.append({"status": "success", "code": "SUCCESS", "details": {"id": one["id"]}})
        return 200, {"data": answers}
