"""The backtest, drawn."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from api.commands.backtest_chart import draw_index, draw_page, draw_svg
from sentiment.backtest import Backtest, Budget, PastAlert, PastHour

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALERT = PastAlert(START + 100 * HOUR, 3.0, 40, 5.5, 3600, "battery <b>")


def _found(hours: int = 240) -> Backtest:
    past = tuple(
        PastHour(START + hour * HOUR, 3, 9, 4.0 if hour == 100 else 0.3) for hour in range(hours)
    )
    return Backtest(
        since=START,
        until=START + hours * HOUR,
        alert_index=1.0,
        alerts=(ALERT,),
        choices=(),
        budgets=(Budget(1.0, 0.8, (ALERT,)), Budget(0.25, 2.0, ())),
        days=(),
        hours=past,
    )


def test_the_terminal_shows_index_threshold_and_alert() -> None:
    drawn = draw_index(_found(), width=60, height=6).splitlines()

    assert all(len(line) <= 68 for line in drawn)
    assert drawn[0].lstrip().startswith("4.0 │")
    assert "█" in drawn[0]
    assert any(line.lstrip().startswith("1 │") and "·" in line for line in drawn)
    assert drawn[-2].count("▲") == 1
    # The alert's mark stands under the index that raised it.
    assert abs(drawn[-2].index("▲") - drawn[0].index("█")) <= 1


def test_nothing_replayed_is_nothing_drawn() -> None:
    assert draw_index(_found(0)) == ""


def test_the_page_draws_every_budget_and_trusts_no_words() -> None:
    page = draw_page("Acme & <Sons>", _found())

    assert page.count("<svg") == 4
    assert "battery <b>" not in page
    assert "Acme &amp; &lt;Sons&gt;" in page
    assert "At most 1 false alarm a week: index 0.8, 1 incident<" in page
    assert "At most 0.25 false alarms a week: index 2, 0 incidents<" in page


def test_the_picture_is_well_formed_and_holds_what_it_says() -> None:
    found = _found()
    picture = ET.fromstring(draw_svg(found.hours, 1.0, found.alerts))

    names = [re.sub(r"{.*}", "", one.tag) for one in picture.iter()]
    assert names.count("circle") == 1
    assert names.count("polyline") == 1
    assert "1 alert" in picture.attrib["aria-label"]
