"""Reading the accounts in X's answers."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from listener.types import AuthorProfile
from listener.x_api.models import Entities, XUser


def profile(author_id: str | None, users: Mapping[str, Mapping[str, Any]]) -> AuthorProfile | None:
    """Return the account with this id; only the id where an answer holds no more of it."""
    if not author_id:
        return None
    try:
        user = XUser.model_validate(users.get(author_id, {"id": author_id}))
    except ValidationError:
        # A profile that cannot be read costs the profile, not the post.
        return AuthorProfile(external_id=author_id)
    entities = user.entities
    profile_links = links_of(
        entities.url if entities else None, entities.description if entities else None
    )
    return AuthorProfile(
        external_id=user.id,
        handle=user.username,
        name=_clean(user.name),
        bio=_clean(user.description),
        location=_clean(user.location),
        links=profile_links or ((user.url,) if user.url else ()),
        followers=user.public_metrics.followers_count if user.public_metrics else None,
        is_verified=user.verified,
        created_at=user.created_at,
    )


def _clean(text: str | None) -> str | None:
    return unicodedata.normalize("NFC", html.unescape(text)) if text else None


def links_of(*found: Entities | None) -> tuple[str, ...]:
    """Return the addresses that short links stand for, each once."""
    links = (
        link.unwound_url or link.expanded_url or link.url
        for entities in found
        if entities
        for link in entities.urls
    )
    return tuple(dict.fromkeys(filter(None, links)))
