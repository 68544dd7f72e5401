"""The board in a real browser: charts, what is behind them, and what they give away."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from tests.api.board_scene import add_competitor, add_crowd
from tests.api.scene import Scene
from tests.browser.board_parts import bring_parts

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

#: Where the middle of a chart's bar is in the chart: `[chart, series, point]` are the arguments.
_BAR = """([id, series, at]) => {
  const chart = echarts.getInstanceByDom(document.querySelector(id));
  const data = chart.getOption().series[series].data[at];
  const value = Array.isArray(data) ? [data[0], data[1] / 2] : [data.value / 2, at];
  return chart.convertToPixel({ seriesIndex: series }, value);
}"""


@pytest.fixture
def rival(sessions: sessionmaker[Session], scene: Scene) -> str:
    with sessions.begin() as session:
        key = add_competitor(session, scene, utc_now()).key
    add_crowd(sessions, scene, utc_now())
    return key


def _problems(page: Page) -> list[str]:
    found = Axe().run(page, context="main")
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def _draw(page: Page, chart: str) -> None:
    """Bring a chart near the screen, and wait until it is drawn."""
    page.locator(f"#{chart}-chart").scroll_into_view_if_needed()
    expect(page.locator(f"#{chart}-chart canvas")).to_be_visible()


def _click_bar(page: Page, chart: str, series: int, at: int) -> None:
    _draw(page, chart.removeprefix("#").removesuffix("-chart"))
    x, y = page.evaluate(_BAR, [chart, series, at])
    # Playwright scrolls there and waits until nothing moves: a page one came back to still does.
    page.locator(chart).click(position={"x": x, "y": y})


def test_a_board_is_read_compared_taken_away_and_followed(
    open_page: OpenPage, rival: str, tmp_path: Path
) -> None:
    page = open_page(reduced_motion="reduce")
    page.get_by_role("link", name="Board").click()
    _draw(page, "volume")
    expect(page.get_by_text("Change of net sentiment")).to_be_visible()

    share = page.get_by_role("region", name="Share of voice")
    expect(share.get_by_role("row", name="Beanery")).to_contain_text("72")
    _draw(page, "share")
    bring_parts(page)
    assert _problems(page) == []

    with page.expect_download() as picture:
        page.get_by_role("button", name="PNG: Share of voice").click()
    assert picture.value.suggested_filename == "board-acme-share-24h.png"
    picture.value.save_as(tmp_path / "share.png")
    head = (tmp_path / "share.png").read_bytes()[:24]
    width, height = struct.unpack(">II", head[16:24])
    assert head[1:4] == b"PNG"
    assert width > 600
    assert height > 200
    with page.expect_download() as numbers:
        page.get_by_role("link", name="CSV: Share of voice").click()
    numbers.value.save_as(tmp_path / "share.csv")
    assert (tmp_path / "share.csv").read_text("utf-8").splitlines()[2].startswith("Beanery,72,")

    signals = page.locator("#board-signals")
    expect(signals.get_by_role("row", name="Arabic")).to_contain_text("0%")
    reach = page.locator("#board-reach")
    expect(reach.get_by_role("row", name="Person 0")).to_contain_text(
        "Glass in my Acme cup, said 0"
    )
    expect(reach.get_by_role("row", name="France")).to_contain_text("12")
    expect(reach.get_by_text("Norway")).to_have_count(0)
    for chart in ("topics", "emotions", "intents", "languages", "influencers", "places", "sources"):
        _draw(page, chart)

    _click_bar(page, "#influencers-chart", 0, 0)
    page.wait_for_url("**/mentions?**author_id=**")
    expect(page.locator(".row")).to_have_count(1)
    page.go_back()
    _click_bar(page, "#volume-chart", 0, 23)
    page.wait_for_url("**/mentions?since=**label=negative")
    page.go_back()
    _click_bar(page, "#share-chart", 0, 1)
    page.wait_for_url(f"**/mentions?brand={rival.replace(':', '%3A')}**")
    expect(page.get_by_text("their beans are fine")).to_be_visible()


def test_a_chart_writes_numbers_as_the_readers_language_does(open_page: OpenPage) -> None:
    page = open_page()
    page.set_extra_http_headers({"Accept-Language": "es"})
    page.goto("/board")

    assert page.evaluate("charts.count(12345.6)") == "12.345,6"


def test_charts_run_by_the_readers_clock_wherever_their_browser_is(
    open_page: OpenPage, scene: Scene
) -> None:
    assert scene.first
    page = open_page(timezone_id="America/New_York", reduced_motion="reduce")
    page.goto("/account")
    page.get_by_label("Time zone").select_option("Asia/Kolkata")
    page.locator("form", has=page.get_by_label("Time zone")).get_by_role("button").click()
    expect(page.locator("html")).to_have_attribute("data-zone", "Asia/Kolkata")
    page.goto("/board?brand=acme")
    _draw(page, "volume")

    begins = page.evaluate(
        """() => new Date(echarts.getInstanceByDom(document.querySelector("#volume-chart"))
          .getOption().xAxis[0].min).toISOString().slice(11, 16)"""
    )
    rows = page.locator("#numbers tbody time")
    first, last = (rows.nth(at).get_attribute("datetime") or "" for at in (0, 23))
    local = datetime.fromisoformat(first).astimezone(ZoneInfo("Asia/Kolkata"))
    assert begins == f"{local:%H:%M}"
    _click_bar(page, "#volume-chart", 0, 23)
    page.wait_for_url("**/mentions?since=*")
    assert parse_qs(urlsplit(page.url).query)["since"] == [
        datetime.fromisoformat(last).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    ]


def test_the_numbers_stand_in_tables_without_script(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/board?brand=acme&period=7d")

    page.get_by_text("The numbers behind these two charts").click()
    expect(page.locator("#numbers tbody tr")).to_have_count(28)
    expect(page.get_by_role("button", name="PNG")).to_have_count(0)
    page.get_by_role("link", name="24h").click()
    page.wait_for_url("**/board?brand=acme&period=24h")
    expect(page.locator("#numbers tbody tr")).to_have_count(24)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_board_fits_a_phone(open_page: OpenPage, rival: str, scheme: str) -> None:
    assert rival
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    page.goto("/board?brand=acme")

    bring_parts(page)
    expect(page.locator("#board-topics table")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert _problems(page) == []
