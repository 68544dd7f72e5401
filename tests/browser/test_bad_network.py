"""A slow network that fails midway, and the end of a session: for every form of the console."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from tests.api.scene import Scene
from tests.api.walking import add_extras, write_files
from tests.browser.conftest import SECRET
from tests.browser.form_scene import make_form_scene
from tests.browser.form_walk import (
    COMES_OF,
    NOT_MET,
    OUTSIDE,
    PAGES,
    Form,
    actions_of_templates,
    forms_on,
    like,
    make,
    send,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenPage = Callable[..., Page]


@pytest.fixture
def walked(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session], tmp_path: Path
) -> Page:
    write_files(tmp_path)
    add_extras(sessions, scene, utc_now(), "walked")
    return open_page(breaks=True)


@pytest.fixture
def ids(walked: Page, scene: Scene, sessions: sessionmaker[Session]) -> dict[str, object]:
    """Give what stands in the addresses of pages."""
    assert walked
    return vars(scene) | vars(make_form_scene(sessions, scene, SECRET))


CLOSES = "for (const one of document.querySelectorAll('dialog[open]')) one.close()"


class Line:
    """The network of a page: what is sent over it waits until the test lets it go."""

    def __init__(self, page: Page) -> None:
        self.waiting: list[Route] = []
        self.is_good = False
        page.route("**/*", self._take)

    def _take(self, route: Route) -> None:
        background = route.request.url.endswith(("/presence", "/length", "/check", "/zone"))
        if route.request.method == "POST" and not background and not self.is_good:
            self.waiting.append(route)
        else:
            route.continue_()

    def wait(self, page: Page) -> None:
        """Wait until something is sent, and a moment more for what must not be."""
        for _ in range(100):
            page.wait_for_timeout(30)
            if self.waiting:
                break


def _problem(form: Form) -> str:
    return str(
        form.at.evaluate(
            """form => (form.querySelector(".problem") ||
              form.closest("[data-card]")?.querySelector(".problem"))?.textContent || "" """
        )
    )


def _works(form: Form, line: Line) -> Iterator[str]:
    """Send a form into a network that keeps it waiting; yield what is wrong."""
    form.show()
    form.fill()
    line.waiting.clear()
    form.press()
    try:
        expect(form.page.locator("#working")).to_have_text("Working…", timeout=3000)
    except AssertionError:
        yield "does not say that it works"
    for _ in range(2):
        form.press()
    line.wait(form.page)
    if len(line.waiting) != 1:
        yield f"is sent {len(line.waiting)} times"


def _breaks(form: Form, line: Line) -> Iterator[str]:
    """Let what waits break off; yield what is wrong."""
    page = form.page
    address = page.url
    for route in line.waiting:
        route.abort()
    try:
        said = page.locator(".problem-text", has_text="No answer came").first
        expect(said).to_be_visible(timeout=3000)
    except AssertionError:
        yield "does not say that no answer came"
    if "No answer came" not in _problem(form):
        yield "says it elsewhere"
    try:
        expect(page.locator("#working")).to_have_text("", timeout=3000)
    except AssertionError:
        yield "says for ever that it works"
    if page.url != address or form.says() != form.said:
        yield f"loses what was typed: {form.said} is {form.says()}"


def _is_answered_by_another(form: Form, line: Line) -> Iterator[str]:
    """Send it again, and let what stands between answer in its own words."""
    line.waiting.clear()
    form.press()
    line.wait(form.page)
    if len(line.waiting) != 1:
        yield "cannot be sent again"
        return
    line.waiting[0].fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")
    try:
        said = form.page.locator(".problem-text", has_text="(502)").first
        expect(said).to_be_visible(timeout=5000)
    except AssertionError:
        yield "does not say that something else answered"
    if "(502)" not in _problem(form):
        yield "says elsewhere that something else answered"
    if form.says() != form.said:
        yield "loses what was typed when something else answers"


def test_every_form_says_that_it_works_acts_once_and_keeps_what_was_typed(
    walked: Page, ids: dict[str, object]
) -> None:
    line, seen, met, wrong = Line(walked), set[str](), set[str](), list[str]()

    def try_forms(path: str) -> None:
        for form in forms_on(walked, seen):
            met.add(like(form.action))
            for step in (_works, _breaks, _is_answered_by_another):
                wrong.extend(f"{path}: {form.action}: {one}" for one in step(form, line))
            walked.evaluate(CLOSES)

    def walk() -> None:
        for path in (*PAGES, *OUTSIDE):
            walked.goto(path.format_map(ids))
            try_forms(path)

    walk()
    line.is_good = True
    make(walked, ids)
    line.is_good = False
    walk()
    for path, action, given in COMES_OF:
        line.is_good = True
        send(walked, path.format_map(ids), action, given)
        line.is_good = False
        try_forms(path)

    assert not wrong, "\n".join(wrong)
    assert actions_of_templates() - met == NOT_MET


def test_what_was_typed_into_any_form_outlives_the_session(
    walked: Page, ids: dict[str, object]
) -> None:
    seen, wrong, tried = set[str](), [], 0
    for path in PAGES:
        address = path.format_map(ids)
        walked.goto(address)
        for form in list(forms_on(walked, seen)):
            # Whose data is asked for is kept nowhere, and passwords are not.
            if form.at.evaluate("form => form.matches('[data-no-draft]:not(#protocol-form)')"):
                continue
            form.show()
            form.fill()
            if not form.said:
                continue
            tried += 1
            walked.context.clear_cookies()
            form.press()
            walked.wait_for_url(re.compile(r"/sign-in\?"))
            walked.get_by_role("button", name="Look around the demo").click()
            walked.wait_for_url(f"**{address.partition('?')[0]}*")
            walked.wait_for_load_state("load")
            if form.says() != form.said:
                wrong.append(f"{path}: {form.action}: {form.said} is {form.says()}")
            walked.evaluate("sessionStorage.clear()")
            walked.goto(address)

    assert not wrong, "\n".join(wrong)
    assert tried > 20


def test_what_a_page_asks_for_itself_says_that_it_failed_and_can_be_asked_again(
    open_page: OpenPage, scene: Scene
) -> None:
    assert scene.first
    page, held = open_page(breaks=True), list[Route]()
    is_broken = True

    def take(route: Route) -> None:
        if is_broken:
            held.append(route)
        else:
            route.continue_()

    for pattern in ("**/why", "**/reply", "**/board/topics*"):
        page.route(pattern, take)
    away = "The console cannot be reached"

    page.get_by_role("link", name="Why?").first.dblclick()
    expect(page.locator("#working")).to_have_text("Working…")
    assert len(held) == 1
    held.pop().abort()
    card = page.locator(".card.flag").first
    expect(card.get_by_text(away)).to_be_visible()
    is_broken = False
    with page.expect_request("**/why"):
        card.get_by_role("button", name="Try again").click()
    expect(card.get_by_text(away)).to_have_count(0)

    is_broken = True
    card.get_by_role("link", name="Reply").click()
    dialog = page.locator("#reply-dialog")
    expect(dialog.locator("#working")).to_have_text("Working…")
    held.pop().abort()
    expect(dialog.get_by_text(away)).to_be_visible()
    is_broken = False
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog.locator("textarea").first).to_be_visible()

    is_broken = True
    page.goto("/board")
    part = page.locator('[hx-get^="/board/topics"]')
    part.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    held.pop().abort()
    expect(part.get_by_text(away)).to_be_visible()
    is_broken = False
    part.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="What it is about")).to_be_visible()
