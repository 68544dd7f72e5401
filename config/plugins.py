"""Plugins: the folder is the registry, the module's name is the plugin's name.

A plugin is imported when first asked for, so that one whose SDK is missing or broken
harms nobody else. Third-party plugins are found through entry points in the group
`groundswell.<folder>`, for example `groundswell.listener.collectors`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from importlib.metadata import entry_points
from typing import TypeVar

from config.errors import InputError
from config.phrases import phrase

#: What kinds of plugins are called where people read of them, by their classes.
_KINDS = {
    "Collector": phrase("collector"),
    "Replier": phrase("replier"),
    "Scorer": phrase("scorer"),
    "Crm": phrase("CRM"),
    "Hook": phrase("webhook"),
    "Channel": phrase("alert channel"),
}

PluginT = TypeVar("PluginT")


def plugin_names(folder: str) -> tuple[str, ...]:
    """Return the names of all plugins in the package `folder`, sorted."""
    package = importlib.import_module(folder)
    own = {module.name for module in pkgutil.iter_modules(package.__path__)}
    foreign = {point.name for point in entry_points(group=f"groundswell.{folder}")}
    return tuple(sorted(own | foreign))


def load_plugin(folder: str, name: str, kind: type[PluginT]) -> type[PluginT]:
    """Return the plugin class `name` in the package `folder`.

    Raises:
        InputError: There is no such plugin, it holds no subclass of `kind`, or a package
            that it needs is not installed.

    """
    for point in entry_points(group=f"groundswell.{folder}"):
        if point.name == name:
            loaded = point.load()
            if not (inspect.isclass(loaded) and issubclass(loaded, kind)):
                raise InputError(
                    phrase(
                        "the entry point %(point)s of plugin '%(name)s' is no %(kind)s",
                        point=point.value,
                        name=name,
                        kind=_called(kind),
                    )
                )
            return loaded
    if name not in plugin_names(folder):
        known = ", ".join(plugin_names(folder))
        raise InputError(
            phrase(
                "there is no %(kind)s named '%(name)s'; known: %(known)s",
                kind=_called(kind),
                name=name,
                known=known,
            )
        )
    try:
        module = importlib.import_module(f"{folder}.{name}")
    except ModuleNotFoundError as error:
        msg = phrase(
            "the %(kind)s '%(name)s' needs the package '%(package)s': pip install it",
            kind=_called(kind),
            name=name,
            package=error.name,
        )
        raise InputError(msg) from error
    found = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, kind)
        and not inspect.isabstract(value)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        wrong = f"{folder}.{name} must define exactly one {kind.__name__}, and has {len(found)}"
        raise InputError(wrong)
    return found[0]


def _called(kind: type[object]) -> str:
    return _KINDS.get(kind.__name__, kind.__name__.lower())
