"""Texts that remember in the database what they were made of."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, select, text

from config.former_phrases import WITHOUT_PLURALS
from config.kept_phrases import PhraseJson, PhraseText, from_json, to_json
from config.language import reading_as, told
from config.phrases import Day, Moment, Number, Phrase, Share, joined, nphrase, phrase
from listener.models import SourceState

AT = datetime(2026, 3, 4, 23, 5, tzinfo=UTC)

KEPT = Table(
    "kept_phrase",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("said", PhraseText),
    Column("facts", PhraseJson),
)

MADE = joined("; ", [phrase("%(name)s waits", name="ñ “5 %”"), phrase("just now")])


def test_what_is_kept_is_told_in_the_readers_language() -> None:
    found = joined(
        ", ",
        [
            Phrase("%(number)s", {"number": Number(12345)}),
            Phrase("%(number)s", {"number": Number(1234.5, 1)}),
            Phrase("%(share)s", {"share": Share(0.344)}),
            Phrase("%(at)s", {"at": Moment(AT)}),
            Phrase("%(day)s", {"day": Day(AT)}),
            Phrase("%(state)s", {"state": SourceState.PAUSED}),
            phrase("just now"),
        ],
    )
    kept = from_json(to_json({"lines": [found, "a person's words"]}))

    assert kept["lines"][0] == found
    assert found == "12,345, 1,234.5, 34%, 2026-03-04 23:05 UTC, 2026-03-04, paused, just now"
    with reading_as("en", "Europe/Madrid"):
        assert told(kept["lines"][0]) == (
            "12,345, 1,234.5, 34%, 5 Mar 2026, 00:05 CET, 5 Mar 2026, paused, just now"
        )
    with reading_as("es"):
        assert told(kept["lines"][0]) == (
            "12.345, 1.234,5, 34\N{NO-BREAK SPACE}%, 4 mar 2026, 23:05 UTC, 4 mar 2026, en pausa, "
            "ahora mismo"
        )
        assert told(kept["lines"][1]) == "a person's words"


def test_columns_give_phrases_back_and_plain_texts_as_they_are(engine: Engine) -> None:
    with engine.begin() as connection:
        KEPT.create(connection)
        rows: list[dict[str, Any]] = [
            {"said": MADE, "facts": {"title": MADE, "words": ["a", "b"], "n": 1}},
            {"said": "Worth an answer: 5 %", "facts": {"title": "plain"}},
            {"said": None, "facts": None},
        ]
        connection.execute(KEPT.insert(), rows)

        said, facts = _column(connection, "said"), _column(connection, "facts")

        assert said == [MADE, "Worth an answer: 5 %", None]
        assert [isinstance(one, Phrase) for one in said] == [True, False, False]
        assert to_json(said[0]) == to_json(MADE)
        assert facts == [rows[0]["facts"], rows[1]["facts"], None]
        assert told(facts[0]["title"]) == MADE
        raw = connection.execute(text("SELECT said FROM kept_phrase ORDER BY id")).scalars().all()
        assert raw[0].partition("\x1e")[0] == MADE, "SQL reads English"


def test_what_counts_things_keeps_both_forms_and_the_number(engine: Engine) -> None:
    counts = (0, 1, 1234)
    said = [nphrase("%(num)s negative post", "%(num)s negative posts", one) for one in counts]
    with engine.begin() as connection:
        KEPT.create(connection)
        connection.execute(KEPT.insert(), [{"said": one} for one in said])

        found = _column(connection, "said")

        assert found == ["0 negative posts", "1 negative post", "1,234 negative posts"]
        assert [pickle.loads(pickle.dumps(one)).counted for one in said] == [
            one.counted for one in found
        ]
        with reading_as("es"):
            assert [told(one) for one in found] == [
                "0 publicaciones negativas",
                "1 publicación negativa",
                "1.234 publicaciones negativas",
            ]


def test_what_an_older_version_kept_of_a_number_is_read_as_it_was(engine: Engine) -> None:
    with engine.begin() as connection:
        KEPT.create(connection)
        for kept in (
            '{"$phrase": "%(num)s negative posts", "$values": {"num": {"$number": [1, 0]}}}',
            '{"$phrase": "%(num)s post", "$counted": "no", "$values": {"num": 1}}',
        ):
            connection.execute(
                text("INSERT INTO kept_phrase (said) VALUES (:said)"), {"said": f"x\x1e{kept}"}
            )

        assert _column(connection, "said") == ["1 negative posts", "1 post"]


def test_templates_that_older_versions_stored_have_their_translations() -> None:
    with reading_as("es"):
        left = [one for one in WITHOUT_PLURALS if told(Phrase(one, {})) == one]

    assert left == []


def test_nobody_can_write_a_phrase_as_a_text(engine: Engine) -> None:
    with engine.begin() as connection:
        KEPT.create(connection)
        connection.execute(KEPT.insert(), {"said": 'x\x1e{"$phrase": "just now"}'})

        assert _column(connection, "said") == ['x {"$phrase": "just now"}']


def test_what_is_no_phrase_behind_the_separator_costs_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        KEPT.create(connection)
        for broken in ("x\x1e{", "x\x1e[]", 'x\x1e{"$phrase": 1}', "x\x1e"):
            connection.execute(
                text("INSERT INTO kept_phrase (said) VALUES (:said)"), {"said": broken}
            )

        assert _column(connection, "said") == ["x"] * 4


def test_equal_phrases_are_one_group(engine: Engine) -> None:
    with engine.begin() as connection:
        KEPT.create(connection)
        connection.execute(KEPT.insert(), [{"said": MADE}, {"said": MADE}])

        assert connection.scalars(select(KEPT.c.said).group_by(KEPT.c.said)).all() == [MADE]
        assert connection.scalars(select(KEPT.c.id).where(KEPT.c.said == MADE)).all() == [1, 2]


def _column(connection: Connection, name: str) -> list[Any]:
    return list(connection.scalars(select(KEPT.c[name]).order_by(KEPT.c.id)))
