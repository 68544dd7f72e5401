from __future__ import annotations

import pytest

from crm_link.escalation.playbook.faq import suggest_answer
from tests.crm_link.making import PROTOCOL, make_protocol

FAQ = (
    PROTOCOL
    + """
faq:
  - id: refund
    questions:
      en: ["how do i get a refund", "i want my money back"]
      es: ["quiero una devolución"]
      ja: ["返金してほしい"]
    answer: {en: "Send us the receipt.", es: "Envíanos el recibo."}
  - id: hours
    questions: ["when are you open", "what are your opening hours"]
    answer: "Every day, 8 to 20."
"""
)


@pytest.mark.parametrize(
    ("text", "lang", "answer"),
    [
        ("@acme how do I get a refund for this??", "en", "Send us the receipt."),
        ("How do i get a refnud pls", "en", "Send us the receipt."),  # a spelling mistake
        ("Hola, QUIERO UNA DEVOLUCION ya", "es", "Envíanos el recibo."),
        ("返金してほしいです", "ja", "Send us the receipt."),  # no answer in it: English
        ("What are your opening hours on Sunday?", "en", "Every day, 8 to 20."),
        ("I love the blue one", "en", None),
        ("Are you kidding me", "en", None),
        ("", None, None),
        ("🙂🙂", None, None),
    ],
)
def test_the_answer_that_fits_is_suggested(text: str, lang: str | None, answer: str | None) -> None:
    found = suggest_answer(make_protocol(FAQ), text, lang)

    assert (found.answer if found else None) == answer


def test_a_protocol_without_answers_suggests_none() -> None:
    assert suggest_answer(make_protocol(), "how do i get a refund") is None
