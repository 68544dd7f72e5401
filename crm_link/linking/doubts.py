"""Why a value that agrees does not stand alone. Pure."""

from __future__ import annotations

from collections.abc import Collection

from config.phrases import phrase
from crm_link.linking.facts import AuthorFacts, Candidate, Fact
from crm_link.linking.keys import SHARED_HOSTS, KeyKind, is_role_address
from crm_link.linking.link_compare import title_of
from crm_link.linking.names import is_full_name, name_tokens, shares_a_word, squeeze


def doubt_of(
    author: AuthorFacts, candidate: Candidate, fact: Fact, brand_names: Collection[str]
) -> str | None:
    """Return why a value that agrees does not stand alone; None if it does."""
    if fact.is_shared:
        return f"another author shows the same {fact.kind}"
    if fact.kind is KeyKind.LINK:
        return _link_doubt(author, candidate, fact)
    if fact.kind is KeyKind.EMAIL and (doubt := _email_doubt(candidate, fact, brand_names)):
        return doubt
    if fact.is_third_party and _is_somebody_else(author, candidate):
        return phrase(
            "a text by somebody of another name shows the %(kind)s", kind=title_of(fact.kind)
        )
    return None


def _email_doubt(candidate: Candidate, fact: Fact, brand_names: Collection[str]) -> str | None:
    if is_role_address(fact.value):
        return phrase("a department's address")
    if _is_at_brand(fact.value, brand_names):
        return phrase("an address of the brand")
    if candidate.owner and candidate.owner.casefold() == fact.value:
        return phrase("the address of the contact's owner")
    return None


def _link_doubt(author: AuthorFacts, candidate: Candidate, fact: Fact) -> str | None:
    """Return why a verified link does not stand alone: a bare host may be an employer's.

    A company's account and its only contact share the company's site; so the name has to
    agree, or to be in the host (janedoe.com).
    """
    host, _, path = fact.value.partition("/")
    if path and host in SHARED_HOSTS:
        return None
    if shares_a_word(author.name or "", candidate.name):
        return None
    label = squeeze(host.partition(".")[0])
    words = [squeeze(word) for word in name_tokens(candidate.name)]
    if words and all(word in label for word in (words[0], words[-1])):
        return None
    return phrase("the site may be an employer's: the names differ")


def _is_at_brand(email: str, brand_names: Collection[str]) -> bool:
    labels = email.partition("@")[2].split(".")[:-1]
    return any(squeeze(label) in brand_names for label in labels)


def _is_somebody_else(author: AuthorFacts, candidate: Candidate) -> bool:
    """Say whether the author goes by a full name that has nothing of the contact's."""
    name = author.name or ""
    return bool(candidate.name) and is_full_name(name) and not shares_a_word(name, candidate.name)
