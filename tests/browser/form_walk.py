"""Every form of the console that changes something, found on its page and filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page

from api.pages import FOLDER

#: Where forms are.
PAGES = (
    "/queue?state=open",
    "/queue/link?ids={first}&q=okafor",
    "/queue/escalate?ids={first}",
    "/mentions/{first}",
    "/mentions/{rtl}",
    "/incidents/{incident}",
    "/incidents/{incident}/report",
    "/incidents/{crisis}",
    "/incidents/{over}",
    "/incidents/{over}/report",
    "/people/1",
    "/people/{twin}",
    "/people/segments",
    "/links",
    "/links/{link}",
    "/sources",
    "/listening/acme",
    "/listening/acme/source?name=x-search",
    "/protocol/edit?brand=acme",
    "/reports",
    "/reports/weekly?brand=acme",
    "/reports/files/{file}",
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

#: Forms that are sent between two walks, because others come of them: page and address.
MADE = (
    ("/account", "/account/keys"),
    ("/admin/teams", "/admin/teams"),
    ("/queue?state=open", "/queue/views"),
    ("/people/1", "/people/1/consents"),
    ("/mentions/{first}", "/mentions/{first}/correct"),
    ("/incidents/{incident}", "/incidents/{incident}/shares"),
    ("/incidents/{incident}", "/incidents/{incident}/statements"),
    ("/incidents/{incident}", "/incidents/{incident}/acknowledge"),
    ("/people/1", "/people/1/opt-out"),
    ("/links/{link}", "/links/{link}/confirm"),
    ("/on-call", "/on-call/overrides"),
    ("/drills", "/drills"),
)

#: What such a form needs besides what every field takes.
GIVEN = {"/on-call/overrides": {"starts": ""}}

#: Pages with forms that come of another form of theirs: page, that form's address, what is given.
COMES_OF: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("/admin/privacy", "/admin/privacy/look", {"whom": "csv_file:C-1001"}),
    ("/mentions/{rtl}", "/queue/changes", {}),
)

#: Forms that no walk meets.
NOT_MET = frozenset(
    {
        "/queue/changes/N/undo",  # it stands on the page that comes after something was done
    }
)

#: Pages for whoever is not signed in; nothing that is typed there is kept.
OUTSIDE = ("/sign-in", "/a/{ack}")

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


def make(page: Page, ids: Mapping[str, object]) -> None:
    """Send the forms that others come of, as a person does."""
    for where, action in MADE:
        send(page, where.format_map(ids), action.format_map(ids), GIVEN.get(action))


def send(page: Page, where: str, action: str, given: Mapping[str, str] | None = None) -> None:
    """Fill a form in on its page and send it."""
    page.goto(where)
    form = Form(page, action, 0)
    form.show()
    form.fill()
    for name, value in (given or {}).items():
        form.at.locator(f"[name={name}]").fill(value)
    with page.expect_response(f"**{form.action}") as answer:
        form.press()
    assert answer.value.status < 400, (form.action, answer.value.text())
    # It may lead to a page, or load its own again.
    page.wait_for_timeout(1_500)
    page.wait_for_load_state()


def actions_of_templates() -> set[str]:
    """Return the addresses of all forms that change something, as `like` writes them."""
    found: set[str] = set()
    for template in (FOLDER / "templates").glob("*.html"):
        for form in re.findall(r"<form[^\n]*", template.read_text("utf-8")):
            action = re.search(r'method="post".*?action="((?:[^"{]|\{\{.*?\}\})*)"', form)
            if action is not None and action[1].startswith("/") and "data-downloads" not in form:
                found.add(like(re.sub(r"(?<=/)\{\{.*?\}\}", "1", action[1])))
    return found


def like(action: str) -> str:
    """Return an address without numbers, names and what is asked there."""
    path = re.sub(r"(\?|\{\{).*", "", action)
    path = re.sub(r"/tasks/.*", "/tasks/N/done", path)
    return re.sub(r"/(\d+|acme|[\w.-]{20,})(?=/|$)", "/N", path)
