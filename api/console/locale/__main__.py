"""Brings the catalogues up to the texts: `python -m api.console.locale` (docs/translating.md)."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po

import api
import config
import crm_link
import listener
import sentiment
from config.language import DOMAIN, LANGUAGES, SOURCE, catalogue_path
from crm_link.escalation.drills.scenarios import shipped_scenarios

#: Packages whose texts reach a page.
PACKAGES = (api, crm_link, sentiment, listener, config)

#: What is read for texts, and how.
METHODS = [
    ("**.py", "python"),
    ("console/templates/**.html", "jinja2"),
    ("reports/templates/**.j2", "jinja2"),
]
_AS_RENDERED = {"newstyle_gettext": "true", "trimmed": "false"}
OPTIONS = {pattern: _AS_RENDERED for pattern, method in METHODS if method == "jinja2"}

#: Functions that take texts, beside gettext's own.
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "later": None,
    "phrase": None,
    "nphrase": (1, 2),
    "nlater": (1, 2),
}

#: Errors that a page shows, and the modules whose errors people meet in the console; those of
#: the others are for the command line, the log and the authors of files, in English.
ERRORS = (
    "InputError",
    "ConflictError",
    "NotFoundError",
    "PermissionDeniedError",
    "TransientError",
    "PermanentError",
    "LimitError",
    "TooManyRequestsError",
    "SignInRequiredError",
)
MET = (
    *("api/*.py", "api/console/*.py", "api/reports/*.py", "api/routes/*.py"),
    *("crm_link/crms/*.py", "crm_link/calls/rest*.py", "crm_link/flags/*.py"),
    *("crm_link/mention*.py", "crm_link/opt_outs.py", "crm_link/review.py"),
    *("crm_link/privacy/*.py", "crm_link/replying/*.py", "crm_link/reporting/*.py"),
    *("crm_link/figures/audience.py", "crm_link/contacts/contact_view.py"),
    *("crm_link/linking/hand_links.py", "crm_link/linking/link_decisions.py"),
    *(
        "crm_link/linking/link_undo.py",
        "crm_link/linking/twins.py",
        "crm_link/outbox/dead_letters.py",
    ),
    *(
        f"crm_link/escalation/{name}.py"
        for name in (
            *("by_hand", "drill", "incidents", "locking", "duty/on_call"),
            *("delivery/acks", "delivery/replies", "delivery/silences", "delivery/trial"),
            *("drills/replay", "protocol_parts/edit", "protocol_parts/history"),
            *("playbook/*", "reports/review", "war_room/shares"),
        )
    ),
    *("config/held_file.py", "listener/brands_edit.py", "listener/replier.py"),
    "sentiment/corrections.py",
)

#: Of `api`, what only whoever runs the service meets.
NOT_MET = frozenset(
    {"app.py", "checks.py", "cli.py", "hooks.py", "protocol_files.py", "runtime.py"}
)


def met_modules() -> list[Path]:
    """Return the modules whose errors people meet in the console."""
    root = Path(api.__file__).parents[1]
    found = {path for pattern in MET for path in root.glob(pattern)}
    return sorted(path for path in found if path.name not in NOT_MET)


def extracted() -> Catalog:
    """Return every text of the templates and of the Python code."""
    found = Catalog(
        domain=DOMAIN,
        charset="utf-8",
    )
    for package in PACKAGES:
        root = Path(str(package.__file__)).parent
        for _, _, message, _, context in extract_from_dir(
            str(root), METHODS, OPTIONS, keywords=KEYWORDS
        ):
            found.add(message, context=context)
    for scenario in shipped_scenarios().values():
        found.add(scenario.name)
    for path in met_modules():
        for _, message, _, context in extract_from_file(
            "python", path, keywords=dict.fromkeys(ERRORS)
        ):
            found.add(message, context=context)
    return found


def update() -> None:
    """Write the catalogue of every language anew; translations stay."""
    texts = extracted()
    for name in LANGUAGES:
        if name == SOURCE:
            continue
        path = catalogue_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = Catalog(locale=name, domain=DOMAIN)
        if path.is_file():
            with path.open("rb") as file:
                kept = read_po(file, locale=name, domain=DOMAIN)
        kept.update(texts, no_fuzzy_matching=True)
        kept.obsolete.clear()
        kept.project, kept.version, kept.fuzzy = "Groundswell", "", False
        kept.header_comment = f"# {LANGUAGES[name]}; see docs/translating.md."
        with path.open("wb") as file:
            write_po(file, kept, width=100, no_location=True, sort_output=True, omit_header=False)


if __name__ == "__main__":
    update()
