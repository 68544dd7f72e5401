"""Changing what is listened for: the file and the database, the file first."""

from __future__ import annotations

from api.deps import Actor
from config.settings import Settings
from crm_link.mentions import get_brand
from listener.brands_edit import change_query
from listener.models import Brand
from listener.sources import sync_brands


def save_query(actor: Actor, settings: Settings, key: str, query: str, *, before: str) -> Brand:
    """Give a brand another query in brands.yaml, and use it.

    The file is written first: if the database fails then, the next start reads it in.
    """
    brand = get_brand(actor.session, key)
    now = actor.clock()
    # A form's lines end in two characters, the file's in one.
    text, seen = (value.replace("\r\n", "\n") for value in (query, before))
    file = change_query(settings.brands_path(), key, text, before=seen, now=now)
    sync_brands(actor.session, file, now)
    actor.record("query changed", f"brand {brand.id}")
    return brand
