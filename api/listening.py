"""Changing what is listened for: the file and the database, the file first.

The file is held from before the transaction until after its commit (`api.held_files`).

If the database fails after the file was written, the next start reads it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.deps import Actor
from config.held_file import HeldFile
from crm_link.mentions import get_brand
from listener.brands_edit import change_query, put_source, remove_source
from listener.brands_file import BrandsFile
from listener.models import Brand, Source
from listener.sources import collect_soon, sync_brands


def save_query(actor: Actor, held: HeldFile, key: str, query: str, *, before: str) -> Brand:
    """Give a brand another query in brands.yaml, and use it."""
    brand = get_brand(actor.session, key)
    # A form's lines end in two characters, the file's in one.
    text, seen = (value.replace("\r\n", "\n") for value in (query, before))
    file = change_query(held, key, text, before=seen, now=actor.clock())
    _use(actor, file, "query changed", brand)
    return brand


def save_source(
    actor: Actor,
    held: HeldFile,
    key: str,
    source: Mapping[str, Any],
    *,
    name: str = "",
    version: str = "",
) -> Brand:
    """Add a source to brands.yaml, or put it in the place of the one called `name`, and use it."""
    brand = get_brand(actor.session, key)
    file = put_source(held, key, source, name=name, version=version, now=actor.clock())
    _use(actor, file, "source changed" if name else "source added", brand)
    return brand


def drop_source(actor: Actor, held: HeldFile, key: str, name: str, *, version: str) -> Brand:
    """Take a source out of brands.yaml and out of use; what it brought stays."""
    brand = get_brand(actor.session, key)
    file = remove_source(held, key, name, version=version, now=actor.clock())
    _use(actor, file, "source removed", brand)
    return brand


def read_soon(actor: Actor, source_id: int) -> Source:
    """Let a source be read at the worker's next look."""
    source = collect_soon(actor.session, source_id)
    actor.record("source read by hand", f"source {source_id}")
    return source


def _use(actor: Actor, file: BrandsFile, what: str, brand: Brand) -> None:
    sync_brands(actor.session, file, actor.clock())
    actor.record(what, f"brand {brand.id}")
