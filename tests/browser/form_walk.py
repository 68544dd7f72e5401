"""Every form of the console that changes something, found on its page and filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
)

#: Forms that no walk meets: their pages need a crisis, a CRM or a search that the scene has not.
NOT_MET = frozenset(
    {
        "/sign-in",  # nobody is signed in there
        "/sign-in/demo",
        "/a/N",  # behind a link in an alert
        "/admin/privacy/erase",  # after a look at somebody
        "/admin/crm/dead/N/drop",  # a CRM that refuses
        "/admin/crm/dead/N/retry",
        "/admin/crm/dead/retry",
        "/drills/N/stop",  # a drill that runs
        "/drills/replay/N",
        "/incidents/N/review",  # an incident that is over
        "/incidents/N/claims/N/merge",  # claims that were found
        "/incidents/N/claims/N/verdict",
        "/incidents/N/statements/N/approve",  # what somebody else wrote
        "/incidents/N/statements/N/reject",
        "/incidents/N/statements/N/publish",
        "/links/N/undo",  # a link that was decided
        "/on-call/overrides",  # rotations
        "/on-call/overrides/N/remove",
        "/people/N/same/N",  # one person in two CRMs
        "/queue/changes/N/undo",  # after something was done
    }
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


def make(page: Page, scene: object) -> None:
    """Send the forms that others come of, as a person does."""
    for where, action in MADE:
        page.goto(where.format_map(vars(scene)))
        form = Form(page, action.format_map(vars(scene)), 0)
        form.show()
        form.fill()
        with page.expect_response(f"**{form.action}") as answer:
            form.press()
        assert answer.value.status < 400, (form.action, answer.value.text())
        page.wait_for_timeout(300)


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
    return re.sub(r"/(\d+|acme|[\w-]{20,})(?=/|$)", "/N", path)
