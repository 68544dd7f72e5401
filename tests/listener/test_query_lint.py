from __future__ import annotations

import pytest
from hypothesis import given

from listener.queries.lint import lint
from listener.query import parse
from tests.listener.query_cases import queries


@pytest.mark.parametrize(
    "query",
    [
        'acme OR "acme corp" OR @acmehelp OR #acme',
        "(acme OR #acme) -dental lang:en",
        "at&t OR 🔥acme OR アクメ",
        "acme (refund OR broken) platform:x",
    ],
)
def test_a_sound_query_has_no_warning(query: str) -> None:
    assert lint(parse(query)) == ()


@pytest.mark.parametrize(
    ("query", "warning"),
    [
        ("acme OR #", "a lone '#' finds every post that has one and floods the desk"),
        ("@ acme", "a lone '@'"),
        ("acme OR it", "'it' stands in a large share of all posts"),
        ("acme or corp", "'or' is looked for as a word: write OR"),
        ("acme OR hp", "'hp' is very short"),
        ("acme OR re*", "'re*' finds every word that begins so"),
        ("acme | corp", "'|' is punctuation only"),
        ("-acme", "error: the query selects almost every post"),
        ("acme OR -corp", "error: the query selects almost every post"),
        ("-(acme corp)", "error: the query selects almost every post"),
        ("acme OR Acme", "'acme' is written 2 times"),
        ("acme corp -Acme", "'acme' is both wanted and excluded"),
        ("corp (acme OR -acme)", "every post, so that part decides nothing"),
        ("acme OR (acme corp)", "'acme corp' changes nothing beside 'acme'"),
        ("acme (acme OR corp)", "'acme OR corp' changes nothing beside 'acme'"),
        ("acme kind:post kind:reply", "a post has only one kind"),
        ("acme OR corp -dental", "'-dental' excludes from the last alternative only"),
        ("refund*", "on X: X cannot search for this query"),
        (" OR ".join(f"acmeword{n}" for n in range(60)), "it becomes 2"),
        (" OR ".join(f"acmeword{n}" for n in range(600)), "on X: the query becomes"),
    ],
)
def test_a_doubtful_query_is_warned_of(query: str, warning: str) -> None:
    assert any(warning in said for said in lint(parse(query)))


def test_an_excluded_stop_word_is_no_warning() -> None:
    assert lint(parse("acme -the")) == ()


@given(queries())
def test_every_query_can_be_linted_and_says_nothing_twice(text: str) -> None:
    warnings = lint(parse(text))

    assert len(set(warnings)) == len(warnings)
