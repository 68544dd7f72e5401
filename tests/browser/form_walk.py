"""Every form of the console that changes something, found on its page and filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page

#: Where forms are; `test_every_form_of_a_template_is_walked` fails when one is nowhere here.
PAGES = (
    "/queue?state=open",
    "/queue/link?ids={first}&q=okafor",
    "/queue/escalate?ids={first}",
    "/mentions/{first}",
    "/mentions/{rtl}",
    "/incidents/{incident}",
    "/incidents/{incident}/report",
    "/people/1",
    "/people/segments",
    "/links",
    "/links/{link}",
    "/sources",
    "/listening/acme",
    "/listening/acme/source?name=x-search",
    "/protocol/edit?brand=acme",
    "/reports",
    "/on-call",
    "/silences",
    "/drills",
    "/users",
    "/admin/teams",
    "/admin/keys",
    "/admin/crm",
    "/admin/privacy",
    "/account",
)

#: Gives each kind of field something that it takes; what was there stays unless it is empty.
_FILLS = """form => {
  const said = {};
  const texts = "textarea, input:not([type]), input:is([type=text], [type=email], [type=url], "
    + "[type=number], [type=date], [type=datetime-local])";
  for (const one of form.querySelectorAll(texts)) {
    if (one.readOnly || one.disabled || !one.name) continue;
    const fits = { email: "ana@example.org", url: "https://example.org/",
      number: one.min && one.max ? one.max : one.min || "2", date: "2026-01-02",
      "datetime-local": "2026-01-02T03:04" };
    one.value = fits[one.type] || "typed by hand";
    one.dispatchEvent(new Event("input", { bubbles: true }));
    said[one.name] = one.value;
  }
  for (const one of form.querySelectorAll("select[name]")) {
    one.selectedIndex = one.options.length - 1;
    one.dispatchEvent(new Event("input", { bubbles: true }));
    said[one.name] = one.value;
  }
  for (const one of form.querySelectorAll("input[type=password]")) one.value = "a long password";
  for (const one of form.querySelectorAll("input[type=checkbox][required]")) one.checked = true;
  for (const one of form.querySelectorAll("input[type=radio][required]")) one.checked = true;
  return said;
}"""

#: What stands in a form's fields of those names.
_SAYS = """(form, names) => Object.fromEntries(
  names.map(name => [name, form.querySelector(`[name="${name}"]:not([type=hidden])`)?.value]))"""


@dataclass
class Form:
    """A form on its page."""

    page: Page
    action: str
    place: int
    said: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its address without numbers: what it does, whatever it does it to."""
        return re.sub(r"/\d+", "/N", self.action)

    @property
    def at(self) -> Locator:
        return self.page.locator(f'form[method=post][action="{self.action}"]').nth(self.place)

    def show(self) -> None:
        """Open what it lies in: details, or the dialog that its button opens."""
        self.at.evaluate(
            """form => {
              for (let up = form.closest("details"); up; up = up.parentElement.closest("details"))
                up.open = true;
              const dialog = form.closest("dialog");
              if (dialog && !dialog.open) dialog.showModal();
            }"""
        )

    def fill(self) -> None:
        self.said = self.at.evaluate(_FILLS)

    def says(self) -> dict[str, str]:
        found: dict[str, str] = self.at.evaluate(_SAYS, list(self.said))
        return found

    def press(self) -> None:
        """Send it as a person does, by its first button, if it is complete."""
        self.at.evaluate(
            """form => {
              const button = form.querySelector("button:not([type=button])");
              if (!form.reportValidity()) throw new Error(`not complete: ${form.action}`);
              button.click();
            }"""
        )


def forms_on(page: Page, seen: set[str]) -> Iterator[Form]:
    """Yield the forms of a page that were not seen before, on any page."""
    found: list[tuple[str, int]] = page.evaluate(
        """[...document.querySelectorAll("form[method=post]:not([data-downloads])")]
        .filter(form => !form.closest("[hidden]") && form.querySelector("button"))
        .map(form => form.getAttribute("action"))
        .map((action, at, all) =>
          [action, all.slice(0, at).filter(one => one === action).length])"""
    )
    for action, place in found:
        form = Form(page, action, place)
        if action == "/queue/changes":
            # These differ by what they do.
            act = form.at.locator("[name=act]").first.get_attribute("value")
            kind = f"{form.name} {act} {bool(form.at.get_attribute('hx-target') == '#did')}"
        else:
            kind = form.name
        if kind not in seen:
            seen.add(kind)
            yield form
