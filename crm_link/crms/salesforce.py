"""Salesforce, through its REST API: SOQL for contacts, collections for enrichment.

Contacts are read in the order of SystemModstamp and Id, deleted and merged ones with them
(`queryAll`): one query serves every sync, and one that was stopped goes on at the last record.
Enrichment goes out 200 records a call, each answered by itself. A used-up limit is a 403, no 429.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError, PermanentError
from config.settings import read_settings, settings_prefix
from crm_link.calls.account_limits import salesforce_limits
from crm_link.calls.budgets import LimitError
from crm_link.calls.crm_fields import CrmField, FieldKind, capitalized, make_reader
from crm_link.calls.rest import Refused, RestClient, ask_for_token, parse_time
from crm_link.calls.rest_crm import Record, RestCrm, Token, page_of, with_gone
from crm_link.calls.salesforce_cases import SalesforceCases, make_forms
from crm_link.types import ContactPage, ContactUpdate, RecordKind, WriteResult

#: Contacts in one query.
PAGE_SIZE = 2000

#: Wait after a used-up daily limit, in seconds: it is counted over a rolling 24 hours.
LIMIT_WAIT_S = 900.0

_DEFAULTS = {
    "id": "Id",
    "first_name": "FirstName",
    "last_name": "LastName",
    "email": "Email",
    "phone": "Phone|MobilePhone",
    "country": "MailingCountry",
    "region": "MailingState",
    "city": "MailingCity",
    "owner": "OwnerId",
    "do_not_contact": "HasOptedOutOfEmail|DoNotCall",
}
_ALWAYS = ("Id", "IsDeleted", "SystemModstamp")
_PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE"})


class SalesforceSettings(BaseSettings):
    """Settings of Salesforce."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_SALESFORCE_", extra="ignore", frozen=True
    )

    base_url: str = Field(
        default="",
        description="Your Salesforce domain, for example https://acme.my.salesforce.com.",
    )
    client_id: str = Field(default="", description="Consumer key of the connected app.")
    client_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Consumer secret of the connected app; its flow is client credentials.",
    )
    api_version: str = Field(
        default="64.0", pattern=r"^\d+\.0$", description="Version of Salesforce's API."
    )
    mapping: dict[str, str] = Field(
        default_factory=dict,
        description="JSON: what stands in which Salesforce field, for example "
        '`{"tier": "Tier__c", "x_handle": "Twitter__c"}`; see docs/crms.md.',
    )
    relationship_source: str | None = Field(
        default=None,
        description="Where Salesforce's contacts come from, if their records do not say: consent, "
        "provided_by_person, prior_relationship, public_directory.",
    )
    daily_calls: int = Field(
        default=100_000,
        ge=100,
        description="Calls a day that Groundswell may make of Salesforce's.",
    )
    case_owner: str = Field(default="", description="Id of who new cases go to; or nobody.")
    case_origin: str = Field(default="Web", description="Origin of new cases.")
    case_status: str = Field(default="New", description="Status of new cases.")
    case_closed_status: str = Field(default="Closed", description="Status of those dealt with.")
    timeout_s: float = Field(
        default=60.0, gt=0, description="Longest wait for Salesforce, seconds."
    )


class SalesforceCrm(RestCrm):
    """Salesforce's contacts."""

    batch_size = 200
    kinds = frozenset(RecordKind)

    def __init__(self, *, account: str = "") -> None:
        """Read the settings; nothing is called yet.

        Raises:
            InputError: A setting is missing, or the mapping names what is not there.

        """
        self._settings = settings = read_settings(SalesforceSettings, account)
        self._prefix = settings_prefix(SalesforceSettings, account)
        for name in ("base_url", "client_id"):
            if not getattr(settings, name):
                raise InputError("set %(it)s", it=f"{self._prefix}{name.upper()}")
        self._instance = settings.base_url
        self._data = f"/services/data/v{settings.api_version}"
        token = Token("Bearer", self._sign_in)
        api = RestClient(
            "Salesforce",
            lambda: self._instance,
            token.headers,
            renew=token.renew,
            means=_meaning,
            limits=salesforce_limits(settings.daily_calls),
            timeout_s=settings.timeout_s,
        )
        super().__init__(
            api, make_reader(_DEFAULTS, settings.mapping, settings.relationship_source)
        )
        forms = make_forms(
            owner=settings.case_owner,
            origin=settings.case_origin,
            status=settings.case_status,
            closed_status=settings.case_closed_status,
        )
        self._desk = SalesforceCases(api, self._data, forms)

    @staticmethod
    def api_name(name: str) -> str:
        """Return a custom field's name: groundswell_handles is Groundswell_Handles__c."""
        return f"{capitalized(name)}__c"

    def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
        """Yield contacts in the order of their last change, from `cursor` on."""
        state = orjson.loads(cursor) if cursor else None
        while True:
            answer = self._api.read(
                "GET", f"{self._data}/queryAll", params={"q": self._soql(state)}
            )
            records = answer["records"]
            if not records:
                return
            last = records[-1]
            state = {"at": last["SystemModstamp"], "id": last["Id"]}
            yield self._page(records, orjson.dumps(state).decode())
            if len(records) < PAGE_SIZE:
                return

    def contacts_of(self, external_ids: Sequence[str]) -> ContactPage:
        """Return these contacts as they are now."""
        answer = self._api.read(
            "POST",
            f"{self._data}/composite/sobjects/Contact",
            json={
                "ids": list(external_ids),
                "fields": list(dict.fromkeys((*_ALWAYS, *self._reader.names))),
            },
        )
        there = [one for one in answer if one is not None]
        return with_gone(self._page(there, None), external_ids)

    def _send(self, updates: Sequence[ContactUpdate]) -> dict[str, WriteResult]:
        records = [
            {"attributes": {"type": "Contact"}, "id": update.external_id, **self._written(update)}
            for update in updates
        ]
        answers = self._api.call(
            "PATCH",
            f"{self._data}/composite/sobjects",
            json={"allOrNone": False, "records": records},
        )
        return {
            update.external_id: _result(update.external_id, answer)
            for update, answer in zip(updates, answers, strict=True)
        }

    def _records(self, external_ids: Sequence[str]) -> dict[str, Record]:
        answer = self._api.read(
            "POST",
            f"{self._data}/composite/sobjects/Contact",
            json={"ids": list(external_ids), "fields": ["Id", *self._names.values()]},
        )
        # An id has 15 letters, or 18 with a checksum behind them; either may have been asked for.
        by_short = {one["Id"][:15]: one for one in answer if one is not None}
        return {one: by_short[one[:15]] for one in external_ids if one[:15] in by_short}

    def setup(self) -> list[str]:
        """Create our custom fields on Contact."""
        missing = self._missing(self._field_names())
        for field in missing:
            self._api.call(
                "POST",
                f"{self._data}/tooling/sobjects/CustomField",
                json={
                    "FullName": f"Contact.{self._names[field.name]}",
                    "Metadata": _metadata(field),
                },
            )
        return [self._names[field.name] for field in missing]

    def _field_names(self) -> list[str]:
        described = self._api.read("GET", f"{self._data}/sobjects/Contact/describe")
        return [one["name"] for one in described["fields"]]

    def check(self) -> None:
        """Ask for one contact, and for the fields that the mapping names."""
        soql = "SELECT Id FROM Contact LIMIT 1"
        self._api.read("GET", f"{self._data}/query", params={"q": soql})
        self._check_mapping(self._field_names)

    def _soql(self, state: Mapping[str, str] | None) -> str:
        names = ", ".join(dict.fromkeys((*_ALWAYS, *self._reader.names)))
        where = ""
        if state is not None:
            # The cursor is Salesforce's own words, and still checked: it goes into a query.
            at, last_id = state["at"], state["id"]
            if not (last_id.isalnum() and parse_time(at)):
                raise InputError("the stored cursor of Salesforce is damaged: sync from scratch")
            stamp = at.replace("+0000", "Z").replace("+00:00", "Z")
            where = (
                f" WHERE (SystemModstamp > {stamp}) OR "
                f"(SystemModstamp = {stamp} AND Id > '{last_id}')"
            )
        order = f"ORDER BY SystemModstamp, Id LIMIT {PAGE_SIZE}"
        return f"SELECT {names} FROM Contact{where} {order}"  # noqa: S608 - checked above

    def _page(self, records: Sequence[Record], cursor: str | None) -> ContactPage:
        return page_of(
            self._reader,
            records,
            cursor,
            updated_at=lambda one: parse_time(one["SystemModstamp"]),
            gone=lambda one: (one["Id"],) if one["IsDeleted"] else (),
            key="Id",
        )

    def _sign_in(self) -> str:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
        }
        url = f"{settings.base_url.rstrip('/')}/services/oauth2/token"
        found = ask_for_token("Salesforce", url, form, timeout_s=settings.timeout_s)
        if "access_token" not in found:
            raise PermanentError(
                "Salesforce refused the connected app: check %(prefix)sCLIENT_ID and "
                "_CLIENT_SECRET, and that its client credentials flow has a user",
                prefix=self._prefix,
            )
        self._instance = found.get("instance_url") or settings.base_url
        token: str = found["access_token"]
        return token


def _result(external_id: str, answer: Record) -> WriteResult:
    if answer.get("success"):
        return WriteResult(external_id)
    codes = [str(one.get("statusCode") or "UNKNOWN") for one in answer.get("errors", ())]
    return WriteResult(
        external_id,
        error=f"Salesforce: {', '.join(codes) or 'UNKNOWN'}",
        is_transient=bool(codes) and all(code in _PASSING for code in codes),
    )


def _metadata(field: CrmField) -> dict[str, Any]:
    shape: dict[str, Any]
    if field.kind is FieldKind.NUMBER:
        shape = {"type": "Number", "precision": 18, "scale": field.digits}
    elif field.kind is FieldKind.TIME:
        shape = {"type": "DateTime"}
    else:
        shape = {"type": "Text", "length": 255}
    return {"label": field.label[:40], "inlineHelpText": field.help, **shape}


def _meaning(refused: Refused) -> Exception | None:
    text = str(refused.body() or "")
    if "REQUEST_LIMIT_EXCEEDED" in text:
        return LimitError(
            "Salesforce's limit of calls is used up", retry_after_s=LIMIT_WAIT_S, limit="daily"
        )
    if refused.status == HTTPStatus.MULTIPLE_CHOICES:
        return PermanentError(
            "Salesforce has several records with one external id: merge them, or correct the id"
        )
    if "INVALID_FIELD" in text and "roundswell_" in text:
        return PermanentError(
            "Salesforce does not have our fields yet: run 'groundswell crm setup', or "
            "'groundswell crm setup --cases' for cases, and let the connected app's user see them"
        )
    return None
