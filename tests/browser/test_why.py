"""The network of accounts that post the same, drawn beside its table."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from tests.api.scene import Scene
from tests.api.test_why import make_campaign

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def test_the_network_is_drawn_and_says_who_posts_the_same(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    make_campaign(sessions, scene, utc_now())
    page = open_page()
    page.goto(f"/incidents/{scene.incident}")
    network = page.locator("#why-network")

    network.scroll_into_view_if_needed()
    expect(network.locator("svg text", has_text="h1").first).to_be_visible()
    network.locator("svg path[fill]").last.hover()
    expect(network.locator("svg text", has_text="Posts  2")).to_be_visible()
    page.get_by_text("The network as a table").click()
    expect(page.get_by_role("cell", name="h1", exact=True).first).to_be_visible()
