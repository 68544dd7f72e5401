"""The parts of the board that are asked for when somebody comes near them."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def bring_parts(page: Page) -> None:
    """Scroll down the board until all of it is there."""
    for part in ("topics", "signals", "reach"):
        # It may come, and take the place's place, while one scrolls there.
        page.locator(f'[hx-get^="/board/{part}"], #board-{part}').first.evaluate(
            "place => place.scrollIntoView()"
        )
        expect(page.locator(f"#board-{part}")).to_be_visible()
