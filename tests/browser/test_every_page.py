"""What holds for every page of the console. A new page is a line in `PATHS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.api.scene import Scene

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

#: Addresses, with the scene's ids in them.
PATHS = (
    "/queue",
    "/mentions",
    "/mentions/{first}",
    "/mentions/{rtl}",
    "/mentions/{xss}",
    "/replies",
    "/queue/link?ids={first}&q=okafor",
    "/queue/escalate?ids={first}",
    "/incidents",
    "/incidents/{incident}",
    "/incidents/{incident}/report",
    "/board",
    "/people",
    "/people/1",
    "/links",
    "/links/{link}",
    "/sources",
    "/listening",
    "/protocol",
    "/reports",
    "/reports/weekly?brand=acme",
    "/reports/weekly.pdf?brand=acme",
    "/people/segments",
    "/on-call",
    "/silences",
    "/drills",
    "/users",
    "/admin/teams",
    "/admin/keys",
    "/admin/audit",
    "/admin/system",
    "/admin/crm",
    "/admin/privacy",
    "/account",
    "/nowhere",
)

#: A desktop by day and a phone by night.
VARIANTS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "has_touch": True,
        "is_mobile": True,
    },
}

#: Pixels that rounding may add.
WIDTH_LEEWAY = 1


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    open_page: OpenPage, scene: Scene, variant: str
) -> None:
    page = open_page(**VARIANTS[variant])

    problems = []
    for path in PATHS:
        address = path.format_map(vars(scene))
        page.goto(address)
        page.wait_for_load_state()
        problems += [
            f"{address}: {one['id']}: {node['target']}"
            for one in Axe().run(page).response["violations"]
            for node in one["nodes"]
        ]
        if page.evaluate(f"document.documentElement.scrollWidth > innerWidth + {WIDTH_LEEWAY}"):
            problems.append(f"{address}: wider than the screen")

    assert problems == []


#: A screen of 1280 x 800 at 400 % and at 200 % zoom (WCAG 1.4.10, 1.4.4).
ZOOMED = [(320, 640), (640, 400)]


@pytest.mark.parametrize(("width", "height"), ZOOMED)
def test_no_page_scrolls_sideways_when_it_is_zoomed(
    open_page: OpenPage, scene: Scene, width: int, height: int
) -> None:
    page = open_page(viewport={"width": width, "height": height})

    wide = []
    for path in PATHS:
        page.goto(path.format_map(vars(scene)))
        if page.evaluate(f"document.documentElement.scrollWidth > innerWidth + {WIDTH_LEEWAY}"):
            wide.append(path)

    assert wide == []
