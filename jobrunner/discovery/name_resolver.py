"""Follows a name through the modules that pass it on, to the name of the SDK that it leads to. Pure."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from typing import Final, Literal

from jobrunner.discovery.top_level import (
    Defined,
    Dotted,
    Imported,
    Text,
    TopLevel,
    bases_of,
    imports_below,
    names_below,
    root_name,
)

SDKS: Final = frozenset({"sdk", "neops_worker_sdk"})
"""The packages with names that register something."""

_TEST_CASES: Final = frozenset({"fb_test_case", "fb_test_case_with_lab"})
_REGISTERING: Final = "register_"
_BASES: Final = frozenset({"FunctionBlock", "PlatformProbe"})
_PLUGINS: Final = ("Plugin", "PluginBase")

Known = tuple[Text, TopLevel]
Place = tuple[str, Dotted]
"""A module, and a name in it."""

_Search = Literal["registers", "base", "class", "origin"]


class NameResolver:
    """Follows names from module to module. `known` returns a module by its name, or `None` if it has no text."""

    def __init__(self, known: Callable[[str], Known | None]) -> None:
        self._known = known
        self._steps: dict[tuple[_Search, Place], list[Place]] = {}

    def registers(self, place: Place) -> bool:
        """Whether the object of this name registers something: it is the SDK's, or made with an object of the SDK."""
        return any(_registers(name) for name in self._of_sdk("registers", place))

    def is_registry(self, place: Place) -> bool:
        """Whether this is the method with which the SDK's own registry accepts a block."""
        return any(name[-2:] == ("registry", "register") for name in self._of_sdk("origin", place))

    def is_base(self, place: Place) -> bool:
        """Whether this is a class of the SDK from which blocks or plugins derive, or derives from one."""
        return any(_is_base(name[-1]) for name in self._of_sdk("base", place))

    def is_class(self, place: Place) -> bool:
        """Whether this is a class with a known text."""
        return any(True for _ in self._ends("class", place))

    def stranger(self, place: Place) -> str | None:
        """Return the installed package in which the trail is lost, if the name comes from one."""
        for module, _ in self._ends("origin", place):
            package = module.partition(".")[0]
            if package and package not in sys.stdlib_module_names and package not in SDKS:
                return package
        return None

    def _of_sdk(self, search: _Search, place: Place) -> Iterator[Dotted]:
        for module, name in self._ends(search, place):
            if name and module.partition(".")[0] in SDKS:
                yield name

    def _ends(self, search: _Search, start: Place) -> Iterator[Place]:
        """Yield the names of the SDK, or of modules without a text, to which `start` leads; or the classes."""
        seen: set[Place] = set()
        waiting = [start]
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            known = None if place[0].partition(".")[0] in SDKS else self._known(place[0])
            if known is None:
                if search != "class":
                    yield place
                continue
            if search == "class" and _names_class(known[1], place[1]):
                yield place
            if (search, place) not in self._steps:
                self._steps[search, place] = list(self._next(search, place, known))
            waiting += self._steps[search, place]

    def _next(self, search: _Search, place: Place, known: Known) -> Iterator[Place]:
        module, name = place
        text, top = known
        if not name:
            return
        bindings = top.bindings.get(name[0])
        if bindings is None:
            below = f"{module}.{name[0]}" if module else name[0]
            if text.is_package and self._known(below) is not None:
                yield below, name[1:]
            yield from ((star, name) for star in top.stars)
            return
        for binding in bindings:
            if isinstance(binding, Imported):
                yield _attribute(binding, name[1:])
            else:
                yield from _inside(search, module, text, binding)


def _attribute(binding: Imported, rest: Dotted) -> Place:
    return binding.module, rest if binding.name is None else (binding.name, *rest)


def _inside(search: _Search, module: str, text: Text, binding: Defined) -> Iterator[Place]:
    """Yield the names with which a definition is made, if they show something about it."""
    node = binding.node
    if search == "origin":
        return
    if search != "registers":
        if isinstance(node, ast.expr):
            names = {root_name(node)}  # another name for a class, or the class with its parameters
        else:
            names = set(bases_of(node)) if isinstance(node, ast.ClassDef) and search == "base" else set()
        yield from ((module, name) for name in names if name)
        return
    # Without the decorators: if a class is registered itself, that does not make its users register anything.
    parts: list[ast.AST] = [node] if isinstance(node, ast.expr) else [*node.body]
    bases = bases_of(node) if isinstance(node, ast.ClassDef) else []
    own = imports_below(node, text).bindings
    for part in parts:
        for name in names_below(part):
            inner = own.get(name[0])
            if inner is None:
                yield module, name
            else:
                yield from (_attribute(each, name[1:]) for each in inner if isinstance(each, Imported))
    yield from ((module, base) for base in bases)


def _names_class(top: TopLevel, name: Dotted) -> bool:
    return len(name) == 1 and any(
        isinstance(binding, Defined) and isinstance(binding.node, ast.ClassDef)
        for binding in top.bindings.get(name[0], ())
    )


def _registers(name: Dotted) -> bool:
    last = name[-1]
    return last in _TEST_CASES or last.startswith(_REGISTERING) or name[-2:] == ("registry", "register")


def _is_base(last: str) -> bool:
    return last in _BASES or last.endswith(_PLUGINS)
