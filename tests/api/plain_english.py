"""Finds texts of templates that no catalogue knows, by walking what Jinja2 made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from jinja2 import Environment, nodes

#: Stands where an expression is filled in.
_FILLED = "\0"

#: Functions that look texts up; what they are given is in the catalogues.
_LOOKUPS = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext"})

#: Elements whose contents are written as they are: commands, keys, data for scripts.
_AS_IT_IS = frozenset({"code", "kbd", "script", "style"})

#: Elements without contents.
_EMPTY = frozenset({"br", "img", "input", "link", "meta", "hr", "path", "rect"})

#: Attributes that people read.
_READ = frozenset({"title", "aria-label", "placeholder", "alt", "label"})

#: Blocks of templates that hold an attribute's value.
_NO_TEXT = frozenset({"body_class"})

#: Texts that are the same in every language, and why.
SAME_EVERYWHERE = frozenset(
    {
        "Groundswell",  # the product's name
        "Groundswell · Groundswell",  # the title of a page that has none
        "CSV",  # a format's name
        "· MB",  # a unit
        "/mentions?",  # an address that a macro builds
        "stack composer",  # classes that are handed to a macro
        "en",  # codes of languages, as they are typed
        "en, es",
        "https://…",  # how an address begins
        "https://",
        "x:@name",  # an account as it is typed
        "incident 17",  # a thing of the audit log as it is stored, and typed to find it
    }
)

#: The beginning of an attribute that nobody reads.
_UNREAD = re.compile(r'\b(?:class|id|href|name|value|action|type|lang|data-[\w-]+)="[^"]*$')

_SENTENCE = re.compile(r"^[A-Z][a-z]|[a-z] [a-z]")
_WORD = re.compile(r"[^\W\d_]{2,}")


class Reading(HTMLParser):
    """What of a page people read: texts and attributes, without what is written as it is."""

    def __init__(self, as_it_is: Iterable[str] = _AS_IT_IS) -> None:
        """Leave the contents of some elements out."""
        super().__init__()
        self.texts: list[str] = []
        self._as_it_is = frozenset(as_it_is)
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take over an element's attributes."""
        values = dict(attrs)
        if not self._inside:
            self.texts += [value or "" for name, value in attrs if name in _READ]
        # What people and posts wrote is marked by its direction.
        is_left_out = self._inside or tag in self._as_it_is or values.get("dir") == "auto"
        if is_left_out and tag not in _EMPTY:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Take over a text."""
        if not self._inside:
            self.texts.append(data)


def plain_texts(env: Environment, source: str) -> list[str]:
    """Return what a template says without looking it up."""
    tree = env.parse(source)
    reading = Reading()
    reading.feed("".join(_written(tree)))
    reading.close()
    return [
        text
        for text in (
            *(" ".join(one.replace(_FILLED, " ").split()) for one in reading.texts),
            *_shown(tree),
        )
        # A macro may write attributes.
        if _WORD.search(text) and text not in SAME_EVERYWHERE and '="' not in text
    ]


def plain_lines(env: Environment, source: str) -> list[str]:
    """Return the lines of a template that is no HTML that say something without looking it up."""
    tree = env.parse(source)
    lines = "".join(_written(tree)).replace(_FILLED, " ").splitlines()
    return [text.strip() for text in (*lines, *_shown(tree)) if _WORD.search(text)]


def _written(node: nodes.Node) -> Iterator[str]:
    """Yield a template's own texts in their order."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.TemplateData):
            yield child.data
        elif isinstance(child, nodes.Expr):
            # What is tested or looped over is not shown.
            yield _FILLED if isinstance(node, nodes.Output) else ""
        elif not (isinstance(child, nodes.Block) and child.name in _NO_TEXT):
            yield from _written(child)


def _shown(tree: nodes.Node) -> Iterator[str]:
    """Yield the constants that expressions may show or hand over to be shown."""
    for output in tree.find_all(nodes.Output):
        before = ""
        for one in output.nodes:
            if isinstance(one, nodes.TemplateData):
                before = one.data
            elif not _UNREAD.search(before):
                yield from _constants(one)
    for call in tree.find_all(nodes.Call):
        if not (isinstance(call.node, nodes.Name) and call.node.name in _LOOKUPS):
            yield from (
                one.value
                for one in call.args
                if isinstance(one, nodes.Const)
                and isinstance(one.value, str)
                and _SENTENCE.search(one.value)
            )


def _constants(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const):
        # A single small word is an enum's value, a class or a part of an address.
        if isinstance(node.value, str) and _SENTENCE.search(node.value):
            yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _constants(node.expr1)
        if node.expr2 is not None:
            yield from _constants(node.expr2)
    elif isinstance(node, (nodes.Or, nodes.And, nodes.Add)):
        yield from _constants(node.left)
        yield from _constants(node.right)
    elif isinstance(node, nodes.Concat):
        for one in node.nodes:
            yield from _constants(one)
    elif isinstance(node, nodes.Filter) and node.node is not None:
        yield from _constants(node.node)
