"""Made-up queries and posts for the property tests of brand queries."""

from __future__ import annotations

from hypothesis import strategies as st

from listener.query import KINDS, Subject

PIECES = (
    "acme", "Corp", "acmes", "acme_x", "#acme", "#Corp", "#2024", "@acme", "@corp", "$acme",
    "café", "Cafe", "at&t", "at t", "t", "2024", "é", "アクメ", "🔥",
)  # fmt: skip
SEPARATORS = (" ", ", ", "\n", " 😀 ", "'s ", "-", "... ")
TEXT_ATOMS = (
    "acme", "corp", "café", "cafe", "at&t", "2024", "acm*", '"acme corp"', '"at&t café"',
    '"corp acme"~2', "#acme", "#2024", "#acm*", "@corp", "$acme", "アクメ", "🔥", "acme_x", "or",
)  # fmt: skip
FIELD_ATOMS = (
    "author:bob", "author:eve.example", "lang:en", "lang:fr", "lang:xx", "url:acme.com",
    "url:help", "platform:x", "platform:reddit", "has:link", *(f"kind:{kind}" for kind in KINDS),
)  # fmt: skip


def queries(*, fields: bool = True) -> st.SearchStrategy[str]:
    """Return query texts of any shape."""
    atoms = st.sampled_from(TEXT_ATOMS + FIELD_ATOMS if fields else TEXT_ATOMS)
    return st.recursive(
        st.one_of(atoms, atoms.map("-{}".format)),
        lambda inner: st.one_of(
            inner.map("-({})".format),
            st.lists(inner, min_size=2, max_size=4).map(" OR ".join).map("({})".format),
            st.lists(inner, min_size=2, max_size=4).map(" ".join).map("({})".format),
        ),
        max_leaves=8,
    )


def subjects(platform: str = "x") -> st.SearchStrategy[Subject]:
    """Return posts of one platform, about which everything is known."""
    texts = st.lists(
        st.tuples(st.sampled_from(PIECES), st.sampled_from(SEPARATORS)).map("".join), max_size=6
    ).map("".join)
    links = st.sampled_from(
        ["https://acme.com/help", "https://corp.example/", "https://e.x/acme.com"]
    )
    return st.builds(
        Subject,
        text=texts,
        author_handle=st.sampled_from(["bob", "Eve"]),
        lang=st.sampled_from(["en", "fr", "de"]),
        platform=st.just(platform),
        kind=st.sampled_from(["post", "reply", "repost", "quote"] if platform == "x" else ["post"]),
        links=st.lists(links, max_size=2).map(tuple),
    )
