from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.post_text import MAX_MARKED, post_text


class Reader(HTMLParser):
    """Collects what a browser would make of it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.marked = ""
        self._in_mark = False
        self.feed(str(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._in_mark = tag == "mark" or self._in_mark
        if tag == "a":
            found = dict(attrs)
            assert set(found) == {"href", "rel", "target"}
            assert found["rel"] == "noopener noreferrer nofollow"
            self.links.append(found["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "mark":
            self._in_mark = False

    def handle_data(self, data: str) -> None:
        self.text += data
        self.marked += data if self._in_mark else ""


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Acme & co", "acme", "<mark>Acme</mark> &amp; co"),
        ("<b>Acme</b>", "acme", "&lt;b&gt;<mark>Acme</mark>&lt;/b&gt;"),
        ("nothing", "acme", "nothing"),
        ("acme", "acme OR (", "acme"),
        ("", "acme", ""),
    ],
)
def test_hits_are_marked_and_the_rest_is_text(text: str, query: str, expected: str) -> None:
    assert post_text(text, query) == expected


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://example.org/a?b=1&c=2.", ["https://example.org/a?b=1&c=2"]),
        ("(https://example.org/x)", ["https://example.org/x"]),
        ('https://example.org/"onmouseover="alert(1)', ["https://example.org/"]),
        ("https://example.org/<script>", ["https://example.org/"]),
        ("javascript:alert(1) data:text/html,x ftp://example.org", []),
        ("HTTPS://EXAMPLE.ORG/Ä", ["HTTPS://EXAMPLE.ORG/Ä"]),
    ],
)
def test_only_web_addresses_become_links(text: str, links: list[str]) -> None:
    found = Reader(post_text(text))

    assert found.links == links
    assert found.text == text


def test_a_hit_inside_a_link_is_marked_there() -> None:
    found = Reader(post_text("read https://acme.example/acme now", 'url:acme OR "acme"'))

    assert found.links == ["https://acme.example/acme"]
    assert found.text == "read https://acme.example/acme now"


@given(st.text(alphabet=st.sampled_from("acme<>&\"' \n/:.https😀اك"), max_size=200))
def test_no_text_is_lost_and_none_becomes_markup(text: str) -> None:
    found = Reader(post_text(text, "acme OR h*"))

    assert found.tags <= {"a", "mark"}
    assert found.text == text
    assert all(link.lower().startswith(("http://", "https://")) for link in found.links)


def test_a_megabyte_of_links_is_not_a_slow_page() -> None:
    text = "acme http://a.b " * 65_000

    begin = time.process_time()
    found = post_text(text, "acme")

    # Many times what it takes, on any machine: only what grows with the square is caught.
    assert time.process_time() - begin < 10
    assert found.count("<a ") == MAX_MARKED // 16
