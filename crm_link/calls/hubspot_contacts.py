"""Reading HubSpot's contacts: the list once, then searches for what changed, and the archive.

A sync's cursor is JSON: `began` and `after` while the list is read, then `since` (the last change
seen) and `archived` (when archived contacts were last looked for).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from config.clock import Clock
from crm_link.calls.crm_fields import RecordReader
from crm_link.calls.rest import RestClient, parse_time
from crm_link.calls.rest_crm import Record, page_of, with_gone
from crm_link.types import ContactPage, ContactRecord

#: Contacts in a page of the list and of a search, the most that HubSpot gives.
LIST_SIZE = 100
SEARCH_SIZE = 200

#: Results of one search beyond which HubSpot answers with an error.
SEARCH_HORIZON = 10_000

#: What a search looks back, because its index lags behind.
OVERLAP = timedelta(minutes=2)

#: How often archived contacts are looked for.
ARCHIVED_EVERY = timedelta(hours=1)

_MERGED = "hs_merged_object_ids"
_CHANGED = "lastmodifieddate"


class HubspotContacts:
    """Contacts page by page, from a cursor on."""

    def __init__(self, api: RestClient, reader: RecordReader, clock: Clock) -> None:
        self._api = api
        self._reader = reader
        self._clock = clock
        self._asked = [*(name for name in reader.names if name != "id"), _MERGED, _CHANGED]

    def pages(self, cursor: str | None) -> Iterator[ContactPage]:
        """Yield the whole list, or what changed since `cursor`."""
        state = orjson.loads(cursor) if cursor else {}
        if "since" not in state:
            began = state.get("began") or self._clock().isoformat()
            yield from self._list(began, state.get("after"))
            return
        yield from self._changed(state)

    def of(self, external_ids: Sequence[str]) -> ContactPage:
        """Return these contacts; archived ones are gone."""
        answer = self._api.read(
            "POST",
            "/crm/v3/objects/contacts/batch/read",
            json={"properties": self._asked, "inputs": [{"id": one} for one in external_ids]},
        )
        return with_gone(self._page(answer["results"], None), external_ids)

    def _list(self, began: str, after: str | None) -> Iterator[ContactPage]:
        """Yield the whole list; a later sync starts where this one began."""
        while True:
            params = {"limit": LIST_SIZE, "properties": ",".join(self._asked)}
            answer = self._api.read(
                "GET",
                "/crm/v3/objects/contacts",
                params={**params, **({"after": after} if after else {})},
            )
            after = _next(answer)
            cursor = {"began": began, "after": after} if after else {"since": began}
            yield self._page(answer["results"], cursor)
            if not after:
                return

    def _changed(self, state: Record) -> Iterator[ContactPage]:
        now = self._clock()
        since = datetime.fromisoformat(state["since"]) - OVERLAP
        archived = state.get("archived")
        while True:
            last = since
            after: str | None = "0"
            while after is not None and int(after) + SEARCH_SIZE <= SEARCH_HORIZON:
                answer = self._search(since, after)
                after = _next(answer)
                for one in answer["results"]:
                    last = max(last, parse_time(one["properties"].get(_CHANGED)) or last)
                cursor = {"since": last.isoformat(), "archived": archived}
                yield self._page(answer["results"], cursor)
            if after is None:
                break
            if last <= since:
                # More changes in one moment than a search can give: only the list has them all.
                yield from self._list(now.isoformat(), None)
                return
            since = last
        if archived is None or datetime.fromisoformat(archived) + ARCHIVED_EVERY <= now:
            yield from self._archived(archived)
            archived = now.isoformat()
        yield ContactPage((), _dump({"since": max(last, now).isoformat(), "archived": archived}))

    def _search(self, since: datetime, after: str) -> Any:  # noqa: ANN401 - JSON
        changed = {
            "propertyName": _CHANGED,
            "operator": "GTE",
            "value": str(int(since.timestamp() * 1000)),
        }
        return self._api.read(
            "POST",
            "/crm/v3/objects/contacts/search",
            json={
                "filterGroups": [{"filters": [changed]}],
                "sorts": [{"propertyName": _CHANGED, "direction": "ASCENDING"}],
                "properties": self._asked,
                "limit": SEARCH_SIZE,
                "after": after,
            },
        )

    def _archived(self, since: str | None) -> Iterator[ContactPage]:
        """Yield contacts that were archived since; HubSpot lists all of the last 90 days."""
        from_time = datetime.fromisoformat(since) - OVERLAP if since else None
        after: str | None = ""
        while after is not None:
            params = {"limit": LIST_SIZE, "archived": "true"}
            answer = self._api.read(
                "GET",
                "/crm/v3/objects/contacts",
                params={**params, **({"after": after} if after else {})},
            )
            after = _next(answer)
            gone = [
                ContactRecord(str(one["id"]), is_deleted=True)
                for one in answer["results"]
                if _is_since(one.get("archivedAt"), from_time)
            ]
            if gone:
                yield ContactPage(tuple(gone), None)

    def _page(self, results: Sequence[Record], cursor: Record | None) -> ContactPage:
        return page_of(
            self._reader,
            results,
            _dump(cursor) if cursor is not None else None,
            values=lambda one: {**one["properties"], "id": one["id"]},
            updated_at=lambda one: parse_time(one.get("updatedAt")),
            gone=lambda one: filter(None, str(one["properties"].get(_MERGED) or "").split(";")),
        )


def _is_since(said: str | None, from_time: datetime | None) -> bool:
    when = parse_time(said)
    return from_time is None or when is None or when >= from_time


def _dump(cursor: Record) -> str:
    return orjson.dumps(cursor).decode()


def _next(answer: Record) -> str | None:
    after: str | None = answer.get("paging", {}).get("next", {}).get("after")
    return after
