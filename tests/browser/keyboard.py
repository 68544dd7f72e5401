"""A console that is used with the Tab key, Enter, Space and letters alone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

#: Stops of the Tab key after which what is looked for counts as not to be reached.
MOST_STOPS = 120

#: Says whether whoever looks sees where the keyboard is: an outline around it, on the screen,
#: and not beneath something else.
_SEEN = """element => {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const [x, y] = [box.x + Math.min(box.width / 2, 20), box.y + Math.min(box.height / 2, 10)];
  const top = document.elementFromPoint(x, y);
  const around = element.closest("label") || element;
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0
    && Boolean(top) && (element.contains(top) || around.contains(top) || top.contains(element));
}"""


def tab_to(page: Page, place: Locator, *, back: bool = False) -> int:
    """Press Tab (or Shift and Tab) until the keyboard is there; return how often.

    Wherever it ends, the focus must be seen. Nothing on the way may hold it.
    """
    expect(place).to_be_visible()
    for stops in range(1, MOST_STOPS + 1):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if place.evaluate("one => one === document.activeElement"):
            assert place.evaluate(_SEEN), "the focus is not seen"
            return stops
    msg = f"not reached within {MOST_STOPS} stops"
    raise AssertionError(msg)


def press(page: Page, place: Locator, key: str = "Enter") -> int:
    """Go there with Tab and press a key; return the stops on the way."""
    stops = tab_to(page, place)
    page.keyboard.press(key)
    return stops


def type_into(page: Page, place: Locator, text: str) -> None:
    """Go there with Tab and write over what stands in it."""
    tab_to(page, place)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)
