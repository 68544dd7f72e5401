"""Zoho CRM, through its REST API v8.

Contacts are read by Modified_Time with page tokens, deleted ones from their own list.
Enrichment goes out 100 records a call, each answered by itself; it sets off no workflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.clock import Clock, utc_now
from config.errors import InputError, PermanentError
from config.settings import read_settings, settings_prefix
from crm_link.calls.account_limits import zoho_limits
from crm_link.calls.budgets import LimitError
from crm_link.calls.crm_fields import CrmField, FieldKind, capitalized, make_reader
from crm_link.calls.rest import Refused, RestClient, ask_for_token, parse_time, retry_after_s
from crm_link.calls.rest_crm import Record, RestCrm, Token, page_of, with_gone
from crm_link.calls.zoho_cases import KEY, ZohoCases, make_forms
from crm_link.types import ContactPage, ContactRecord, ContactUpdate, RecordKind, WriteResult

#: Contacts in a page, the most that Zoho gives.
PAGE_SIZE = 200

#: What a later sync looks back: Zoho's times are in whole seconds.
OVERLAP = timedelta(seconds=5)

#: Wait after used-up credits, in seconds: they are counted over a rolling 24 hours.
LIMIT_WAIT_S = 900.0

_FIELDS, _MODULE = "/crm/v8/settings/fields", {"module": "Contacts"}

_DEFAULTS = {
    "id": "id",
    "first_name": "First_Name",
    "last_name": "Last_Name",
    "email": "Email|Secondary_Email",
    "phone": "Phone|Mobile",
    "x_handle": "Twitter",
    "country": "Mailing_Country",
    "region": "Mailing_State",
    "city": "Mailing_City",
    "owner": "Owner",
    "do_not_contact": "Email_Opt_Out",
}
_PASSING = frozenset({"INTERNAL_ERROR", "TOO_MANY_REQUESTS", "RECORD_LOCKED", "UNABLE_TO_PROCESS"})


class ZohoSettings(BaseSettings):
    """Settings of Zoho CRM."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_ZOHO_", extra="ignore", frozen=True)

    base_url: str = Field(
        default="https://www.zohoapis.com",
        description="Where Zoho's API answers; other regions end in .eu, .in, .com.au, .jp.",
    )
    accounts_url: str = Field(
        default="https://accounts.zoho.com", description="Where Zoho gives tokens."
    )
    client_id: str = Field(default="", description="Id of the Zoho API client.")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret of the Zoho API client."
    )
    refresh_token: SecretStr = Field(
        default=SecretStr(""),
        description="Refresh token with the scopes ZohoCRM.modules.contacts.ALL and "
        "ZohoCRM.settings.fields.ALL.",
    )
    mapping: dict[str, str] = Field(
        default_factory=dict,
        description="JSON: what stands in which Zoho field, for example "
        '`{"tier": "Tier", "mastodon_handle": "Mastodon"}`; see docs/crms.md.',
    )
    relationship_source: str | None = Field(
        default=None,
        description="Where Zoho's contacts come from, if their records do not say: consent, "
        "provided_by_person, prior_relationship, public_directory.",
    )
    daily_credits: int = Field(
        default=50_000,
        ge=100,
        description="Credits in 24 hours that Groundswell may use of Zoho's.",
    )
    calls_at_once: int = Field(
        default=5,
        ge=1,
        description="Calls at one moment that Zoho allows: 5, 10, 15 or more by edition.",
    )
    case_owner: str = Field(default="", description="Id of who new cases go to; or nobody.")
    case_origin: str = Field(default="Web", description="Origin of new cases.")
    case_status: str = Field(default="New", description="Status of new cases.")
    case_closed_status: str = Field(default="Closed", description="Status of those dealt with.")
    timeout_s: float = Field(default=30.0, gt=0, description="Longest wait for Zoho, seconds.")


class ZohoCrm(RestCrm):
    """Zoho's contacts."""

    batch_size = 100
    kinds = frozenset(RecordKind)

    def __init__(self, *, account: str = "", clock: Clock = utc_now) -> None:
        """Read the settings; nothing is called yet.

        Raises:
            InputError: A setting is missing, or the mapping names what is not there.

        """
        self._settings = settings = read_settings(ZohoSettings, account)
        self._prefix = settings_prefix(ZohoSettings, account)
        if not settings.client_id or not settings.refresh_token.get_secret_value():
            raise InputError("set %(it)s", it=f"{self._prefix}CLIENT_ID and _REFRESH_TOKEN")
        self._clock = clock
        token = Token("Zoho-oauthtoken", self._sign_in)
        api = RestClient(
            "Zoho",
            lambda: settings.base_url,
            token.headers,
            renew=token.renew,
            means=_meaning,
            limits=zoho_limits(settings.daily_credits, settings.calls_at_once),
            timeout_s=settings.timeout_s,
        )
        reader = make_reader(_DEFAULTS, settings.mapping, settings.relationship_source)
        super().__init__(api, reader)
        forms = make_forms(
            owner=settings.case_owner,
            origin=settings.case_origin,
            status=settings.case_status,
            closed_status=settings.case_closed_status,
        )
        self._desk = ZohoCases(api, forms)

    @staticmethod
    def api_name(name: str) -> str:
        """Return a custom field's name: groundswell_handles is Groundswell_Handles."""
        return capitalized(name)

    def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
        """Yield contacts in the order of their last change, then deleted ones."""
        state = orjson.loads(cursor) if cursor else {}
        began = self._clock()
        since = _less(state.get("since"))
        newest = state.get("since")
        token: str | None = None
        while True:
            answer = self._list("/crm/v8/Contacts", since, self._listing(token))
            records = answer["data"]
            newest = records[-1]["Modified_Time"] if records else newest
            # Without this one a first sync that was stopped would begin anew.
            page_cursor = {"since": newest, "deleted": state.get("deleted")} if newest else None
            yield self._page(records, orjson.dumps(page_cursor).decode() if page_cursor else None)
            token = answer["info"].get("next_page_token")
            if not token:
                break
        yield from self._deleted(_less(state.get("deleted")))
        done = {"since": newest or began.isoformat(), "deleted": began.isoformat()}
        yield ContactPage((), orjson.dumps(done).decode())

    def contacts_of(self, external_ids: Sequence[str]) -> ContactPage:
        """Return these contacts as they are now."""
        names = [name for name in self._reader.names if name != "id"]
        params = {"ids": ",".join(external_ids), "fields": ",".join((*names, "Modified_Time"))}
        answer = self._list("/crm/v8/Contacts", None, params)
        return with_gone(self._page(answer["data"], None), external_ids)

    def _send(self, updates: Sequence[ContactUpdate]) -> dict[str, WriteResult]:
        data = [{"id": update.external_id, **self._written(update)} for update in updates]
        answer = self._api.call("PUT", "/crm/v8/Contacts", json={"data": data, "trigger": []})
        return {
            update.external_id: _result(update.external_id, one)
            for update, one in zip(updates, answer["data"], strict=True)
        }

    def _records(self, external_ids: Sequence[str]) -> dict[str, Record]:
        answer = self._api.read(
            "GET",
            "/crm/v8/Contacts",
            params={"ids": ",".join(external_ids), "fields": ",".join(self._names.values())},
        )
        # Where none of them is there, the answer is empty (204).
        return {str(one["id"]): one for one in (answer or {"data": ()})["data"]}

    def setup(self) -> list[str]:
        """Create our custom fields."""
        missing = self._missing(self._field_names())
        if missing:
            shapes = {"fields": [_shape(field) for field in missing]}
            self._api.call("POST", _FIELDS, params=_MODULE, json=shapes)
        return [self._names[field.name] for field in missing]

    def _field_names(self) -> list[str]:
        known = self._api.read("GET", _FIELDS, params=_MODULE)
        return [one["api_name"] for one in known["fields"]]

    def check(self) -> None:
        """Ask for one contact, and for the fields that the mapping names."""
        self._api.read("GET", "/crm/v8/Contacts", params={"fields": "id", "per_page": 1})
        self._check_mapping(self._field_names)

    def _listing(self, token: str | None) -> dict[str, Any]:
        names = [name for name in self._reader.names if name != "id"]
        listing: dict[str, Any] = {
            "fields": ",".join((*names, "Modified_Time")),
            "per_page": PAGE_SIZE,
            "sort_by": "Modified_Time",
            "sort_order": "asc",
        }
        return {**listing, "page_token": token} if token else listing

    def _list(self, path: str, since: datetime | None, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page; an answer without content (204, 304) is an empty one."""
        headers = {"If-Modified-Since": since.isoformat()} if since else None
        answer = self._api.read("GET", path, params=params, headers=headers)
        return answer or {"data": [], "info": {}}

    def _deleted(self, since: datetime | None) -> Iterator[ContactPage]:
        page = 1
        while True:
            params = {"type": "all", "page": page, "per_page": PAGE_SIZE}
            answer = self._list("/crm/v8/Contacts/deleted", since, params)
            gone = tuple(ContactRecord(str(one["id"]), is_deleted=True) for one in answer["data"])
            if gone:
                yield ContactPage(gone, None)
            if not answer["info"].get("more_records"):
                return
            page += 1

    def _page(self, records: Sequence[Record], cursor: str | None) -> ContactPage:
        return page_of(
            self._reader,
            records,
            cursor,
            updated_at=lambda one: parse_time(one.get("Modified_Time")),
            gone=lambda _: (),
        )

    def _sign_in(self) -> str:
        settings = self._settings
        form = {
            "grant_type": "refresh_token",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "refresh_token": settings.refresh_token.get_secret_value(),
        }
        url = f"{settings.accounts_url.rstrip('/')}/oauth/v2/token"
        found = ask_for_token("Zoho", url, form, timeout_s=settings.timeout_s)
        if "access_token" not in found:
            raise PermanentError(
                "Zoho refused the refresh token: check %(prefix)sCLIENT_ID, "
                "_CLIENT_SECRET, _REFRESH_TOKEN, and that _ACCOUNTS_URL is of your region",
                prefix=self._prefix,
            )
        token: str = found["access_token"]
        return token


def _less(since: str | None) -> datetime | None:
    return datetime.fromisoformat(since) - OVERLAP if since else None


def _result(external_id: str, answer: Record) -> WriteResult:
    if answer.get("status") == "success":
        return WriteResult(external_id)
    code = str(answer.get("code") or "UNKNOWN")
    return WriteResult(external_id, error=f"Zoho: {code}", is_transient=code in _PASSING)


def _shape(field: CrmField) -> dict[str, Any]:
    # Zoho makes the API name of the label.
    label = capitalized(field.name).replace("_", " ")
    if field.kind is FieldKind.NUMBER:
        kind = {"data_type": "double" if field.digits else "integer"}
    elif field.kind is FieldKind.TIME:
        kind = {"data_type": "datetime"}
    else:
        kind = {"data_type": "text"}
    return {"field_label": label, **kind}


def _meaning(refused: Refused) -> Exception | None:
    text = str(refused.body() or "")
    if "LIMIT_EXCEEDED" in text or refused.status == HTTPStatus.TOO_MANY_REQUESTS:
        said_s = retry_after_s(refused.answer.headers)
        wait_s = LIMIT_WAIT_S if said_s is None else said_s
        return LimitError("Zoho's credits or calls at once are used up", retry_after_s=wait_s)
    if refused.status == HTTPStatus.BAD_REQUEST and KEY in text:
        return PermanentError(
            "Zoho does not have our field of cases and tasks yet: run 'groundswell crm setup "
            "--cases'"
        )
    return None
