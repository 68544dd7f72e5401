"""The documentation names everything that there is."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic_settings import BaseSettings

from api.cli import app
from config.plugins import plugin_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DOCS = README + "".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))
PACKAGES = ("config", "listener", "sentiment", "crm_link", "api")
FOLDERS = (
    "listener.collectors",
    "listener.repliers",
    "sentiment.scorers",
    "crm_link.crms",
    "crm_link.escalation.channels",
)


def _settings() -> Iterator[str]:
    for package in PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if ".migrations" in module.name or module.name.endswith("__main__"):
                continue
            if module.name.startswith(("sentiment.training", "crm_link.linking_training")):
                continue  # need torch and splink; have no settings
            importlib.import_module(module.name)
    pending: list[type[BaseSettings]] = [BaseSettings]
    while pending:
        kind = pending.pop()
        pending.extend(kind.__subclasses__())
        if kind.__module__.partition(".")[0] in PACKAGES:
            prefix = kind.model_config.get("env_prefix", "")
            yield from (f"{prefix}{name}".upper() for name in kind.model_fields)


def _commands(group: typer.Typer, path: str = "groundswell") -> Iterator[str]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield f"{path} {command.name or command.callback.__name__.replace('_', '-')}"
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from _commands(inner.typer_instance, f"{path} {inner.name}")


def test_every_setting_is_in_the_readme() -> None:
    missing = [name for name in sorted(set(_settings())) if f"`{name}`" not in README]

    assert missing == []


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    known = set(_settings())
    named = set(re.findall(r"`(GROUNDSWELL_[A-Z0-9_]+)`", README))

    assert {name for name in named if not name.startswith("GROUNDSWELL_TEST")} - known == {
        "GROUNDSWELL_SHARED"
    } & named


def test_every_command_is_in_the_readme() -> None:
    table = README.partition("## Commands")[2].partition("## Configuration")[0]
    missing = []
    for path in _commands(app):
        *group, name = path.split()
        if path not in table and not (" ".join(group) in table and f"`{name}`" in table):
            missing.append(path)

    assert missing == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_plugin_is_documented(folder: str) -> None:
    missing = [name for name in plugin_names(folder) if f"`{name}`" not in DOCS]

    assert missing == []


def test_no_link_in_the_documentation_leads_nowhere() -> None:
    broken: list[str] = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text("utf-8"))
        broken.extend(
            f"{path.name}: {target}"
            for target in targets
            if "://" not in target and not (path.parent / target).exists()
        )

    assert broken == []
