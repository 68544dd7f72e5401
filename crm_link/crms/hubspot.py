"""HubSpot, through its CRM API v3.

Contacts come first in pages of the whole list, then by search for what changed since; archived
contacts are looked for once an hour, and of merged ones the record that remains says which they
were. Enrichment goes out in batches of 100, each record with an answer of its own.

Limits, as HubSpot documents them: search gives 10,000 results for one query (a longer row of
changes is asked for again from the last one seen), may lag behind by some seconds (each search
looks back two minutes), and is limited to 5 calls a second. Contacts deleted for good (GDPR) are
gone without a trace: they are dealt with by an erasure request to Groundswell too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.clock import Clock, utc_now
from config.errors import InputError, PermanentError, TransientError
from config.phrases import phrase
from config.settings import read_settings, settings_prefix
from crm_link.calls.account_limits import hubspot_limits
from crm_link.calls.budgets import LimitError
from crm_link.calls.crm_fields import FieldKind, make_reader
from crm_link.calls.hubspot_cases import HubspotCases, TicketDesk
from crm_link.calls.hubspot_contacts import HubspotContacts
from crm_link.calls.rest import LIMIT_WAIT_S, Refused, RestClient, retry_after_s
from crm_link.calls.rest_crm import Record, RestCrm
from crm_link.types import ContactPage, ContactUpdate, RecordKind, WriteResult

_DEFAULTS = {
    "id": "id",
    "first_name": "firstname",
    "last_name": "lastname",
    "email": "email|hs_additional_emails",
    "phone": "phone|mobilephone",
    "website": "website",
    "x_handle": "twitterhandle",
    "country": "country",
    "region": "state",
    "city": "city",
    "owner": "hubspot_owner_id",
    "tier": "lifecyclestage",
    "value": "total_revenue",
    "do_not_contact": "hs_email_optout",
}
_TYPES = {
    FieldKind.TEXT: ("string", "text"),
    FieldKind.NUMBER: ("number", "number"),
    FieldKind.TIME: ("datetime", "date"),
}
_GROUP = "groundswell"


class HubspotSettings(BaseSettings):
    """Settings of HubSpot."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_HUBSPOT_", extra="ignore", frozen=True
    )

    base_url: str = Field(
        default="https://api.hubapi.com", description="Where HubSpot's API answers."
    )
    token: SecretStr = Field(
        default=SecretStr(""),
        description="Access token of a HubSpot private app with the scopes "
        "crm.objects.contacts.read and .write, crm.schemas.contacts.read and .write.",
    )
    mapping: dict[str, str] = Field(
        default_factory=dict,
        description="JSON: what stands in which HubSpot property, for example "
        '`{"value": "lifetime_value", "mastodon_handle": "mastodon"}`; see docs/crms.md.',
    )
    relationship_source: str | None = Field(
        default=None,
        description="Where HubSpot's contacts come from, if their records do not say: consent, "
        "provided_by_person, prior_relationship, public_directory.",
    )
    burst_calls: int = Field(
        default=100,
        ge=10,
        description="Calls in 10 seconds that HubSpot allows the app: 100, 190 or 250 by plan.",
    )
    daily_calls: int = Field(
        default=250_000, ge=100, description="Calls a day that Groundswell may make of HubSpot's."
    )
    ticket_pipeline: str = Field(default="0", description="Id of the pipeline that tickets go to.")
    ticket_stage: str = Field(default="1", description="Id of the stage of new tickets.")
    ticket_closed_stage: str = Field(
        default="4", description="Id of the stage of tickets whose complaint is dealt with."
    )
    ticket_owner: str = Field(
        default="", description="Id of the owner of tickets and notes; empty leaves it to HubSpot."
    )
    timeout_s: float = Field(default=30.0, gt=0, description="Longest wait for HubSpot, seconds.")


class HubspotCrm(RestCrm):
    """HubSpot's contacts."""

    batch_size = 100
    kinds = frozenset(RecordKind)

    def __init__(self, *, account: str = "", clock: Clock = utc_now) -> None:
        """Read the settings; nothing is called yet.

        Raises:
            InputError: The token is missing, or the mapping names what is not there.

        """
        settings = read_settings(HubspotSettings, account)
        token = settings.token.get_secret_value()
        if not token:
            name = f"{settings_prefix(HubspotSettings, account)}TOKEN"
            raise InputError(phrase("set %(name)s to the token of a private app", name=name))
        api = RestClient(
            "HubSpot",
            lambda: settings.base_url,
            lambda: {"Authorization": f"Bearer {token}"},
            means=_meaning,
            limits=hubspot_limits(settings.burst_calls, settings.daily_calls),
            timeout_s=settings.timeout_s,
        )
        reader = make_reader(_DEFAULTS, settings.mapping, settings.relationship_source)
        super().__init__(api, reader)
        self._contacts = HubspotContacts(api, reader, clock)
        desk = TicketDesk(
            settings.ticket_pipeline,
            settings.ticket_stage,
            settings.ticket_closed_stage,
            settings.ticket_owner,
        )
        self._desk = HubspotCases(api, desk)

    def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
        """Yield the whole list, or what changed since `cursor`."""
        return self._contacts.pages(cursor)

    def contacts_of(self, external_ids: Sequence[str]) -> ContactPage:
        """Return these contacts as they are now."""
        return self._contacts.of(external_ids)

    def _send(self, updates: Sequence[ContactUpdate]) -> dict[str, WriteResult]:
        inputs = [
            {"id": update.external_id, "properties": _properties(update.fields)}
            for update in updates
        ]
        answer = self._api.call(
            "POST", "/crm/v3/objects/contacts/batch/update", json={"inputs": inputs}
        )
        problems = answer.get("errors") or ()
        failed = {name: one for problem in problems for name, one in _failures(problem).items()}
        if not all(_ids(problem) for problem in problems):
            # An error that names no record is of one that is not among the written.
            known = {*failed, *(str(one["id"]) for one in answer["results"])}
            for update in updates:
                if update.external_id not in known:
                    error = "HubSpot did not say what became of this record"
                    failed[update.external_id] = WriteResult(
                        update.external_id, error=error, is_transient=True
                    )
        return failed

    def _records(self, external_ids: Sequence[str]) -> dict[str, Record]:
        answer = self._api.read(
            "POST",
            "/crm/v3/objects/contacts/batch/read",
            json={
                "properties": list(self._names.values()),
                "inputs": [{"id": one} for one in external_ids],
            },
        )
        return {str(one["id"]): one["properties"] for one in answer["results"]}

    def setup(self) -> list[str]:
        """Create our group and properties."""
        missing = self._missing(self._field_names())
        if not missing:
            return []
        groups = self._api.read("GET", "/crm/v3/properties/contacts/groups")
        if _GROUP not in {one["name"] for one in groups["results"]}:
            self._api.call(
                "POST",
                "/crm/v3/properties/contacts/groups",
                json={"name": _GROUP, "label": "Groundswell", "displayOrder": -1},
            )
        inputs = [
            {
                "name": field.name,
                "label": field.label,
                "type": _TYPES[field.kind][0],
                "fieldType": _TYPES[field.kind][1],
                "groupName": _GROUP,
                "description": field.help,
            }
            for field in missing
        ]
        self._api.call("POST", "/crm/v3/properties/contacts/batch/create", json={"inputs": inputs})
        return [field.name for field in missing]

    def _field_names(self) -> list[str]:
        known = self._api.read("GET", "/crm/v3/properties/contacts")
        return [one["name"] for one in known["results"]]

    def check(self) -> None:
        """Ask for one contact, and for the fields that the mapping names."""
        self._api.read("GET", "/crm/v3/objects/contacts", params={"limit": 1})
        self._check_mapping(self._field_names)


def _properties(fields: Record) -> dict[str, str]:
    # HubSpot clears a property by empty text; null leaves it.
    return {name: "" if value is None else str(value) for name, value in fields.items()}


def _failures(problem: Record) -> dict[str, WriteResult]:
    """Return what became of the records of one error of a batch."""
    category = str(problem.get("category") or "unknown")
    is_transient = category in {"RATE_LIMITS", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE"}
    return {
        str(one): WriteResult(str(one), error=f"HubSpot: {category}", is_transient=is_transient)
        for one in _ids(problem)
    }


def _ids(problem: Record) -> list[Any]:
    return problem.get("context", {}).get("ids") or []


def _meaning(refused: Refused) -> Exception | None:
    body = refused.body() or {}
    if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
        # The daily limit starts anew at midnight of the portal; an hour is a fair look.
        is_daily = body.get("policyName") == "DAILY"
        said_s = retry_after_s(refused.answer.headers)
        wait_s = 3600.0 if is_daily else LIMIT_WAIT_S if said_s is None else said_s
        policy = "daily" if is_daily else "short-time"
        # A search has a limit of its own, and says no name of it.
        limit = "daily" if is_daily else "search" if refused.path.endswith("/search") else "burst"
        msg = phrase("HubSpot's %(policy)s limit is used up", policy=policy)
        return LimitError(msg, retry_after_s=wait_s, limit=limit)
    if refused.status == HTTPStatus.CONFLICT:
        # Somebody made one of them a moment ago: the next look finds it.
        return TransientError(phrase("HubSpot has one of these records already"))
    if refused.status == HTTPStatus.BAD_REQUEST and "PROPERTY_DOESNT_EXIST" in str(body):
        return PermanentError(
            phrase(
                "HubSpot does not have our properties yet: run 'groundswell crm setup', or "
                "'groundswell crm setup --cases' for tickets and notes"
            )
        )
    return None
