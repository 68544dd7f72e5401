"""Texts of services that remember what they were made of."""

from __future__ import annotations

import copy
import pickle

from config.errors import ConflictError, InputError, TransientError
from config.language import reading_as, told
from config.phrases import Phrase, joined, phrase


def test_a_phrase_is_its_english_text() -> None:
    found = phrase("there is no incident %(incident_id)s", incident_id=7)

    assert found == "there is no incident 7"
    assert told(found) == found
    with reading_as("es"):
        assert told(found) == "no existe el incidente 7"
    assert copy.deepcopy(found).template == found.template
    assert pickle.loads(pickle.dumps(found)).values == {"incident_id": 7}


def test_a_text_without_values_stays_as_it_is() -> None:
    assert phrase("at 100 %(x)s or 5 %") == "at 100 %(x)s or 5 %"
    assert str(InputError("100 % of 'a %s b'")) == "100 % of 'a %s b'"


def test_values_that_are_phrases_are_told_too_and_texts_of_people_are_not() -> None:
    inner = phrase("there is no user %(user_id)s", user_id=3)
    found = joined("; ", [inner, Phrase("plain", {}), "new"])

    assert found == "there is no user 3; plain; new"
    with reading_as("es"):
        assert told(found) == "no existe el usuario 3; plain; new"
        assert told("new") == "new"


def test_an_error_is_raised_with_a_template_or_with_a_phrase() -> None:
    error = ConflictError("there is no mention %(mention_id)s", mention_id=4)
    assert (str(error), error.args) == ("there is no mention 4", ("there is no mention 4",))
    assert isinstance(error.said, Phrase)
    assert ConflictError(error.said).said is error.said
    late = TransientError("%(name)s waits", name="x", retry_after_s=2.0)
    assert (str(late), late.retry_after_s) == ("x waits", 2.0)


def test_outside_of_it_the_reader_is_as_before() -> None:
    with reading_as("es", "Europe/Madrid"):
        with reading_as("xx"):
            assert told(phrase("this is no form")) == "this is no form"
        assert told(phrase("this is no form")) == "esto no es un formulario"
    assert told(phrase("this is no form")) == "this is no form"
