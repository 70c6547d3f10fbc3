"""What a module binds and applies at its top level, by its syntax tree. Pure: nothing is imported, run or read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Dotted = tuple[str, ...]
"""A name as it is written, in its parts: `company.block` is `("company", "block")`."""

RELATIVE = "."
"""Prefix for the module name of a relative import: `from .sdk import x` is never the SDK."""


@dataclass(frozen=True, slots=True)
class Text:
    """The text of one module. `name` is the name by which others import it. A package's text is its `__init__.py`."""

    name: str
    source: bytes
    is_package: bool = False
    file: str = "<text>"

    @property
    def package(self) -> str:
        """The package in which its relative imports start."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Imported:
    """A name that stands for a module, or for the object with this `name` in it."""

    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Defined:
    """A name that stands for a definition in this module: a class, a function, or the value of an expression."""

    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.expr


@dataclass(frozen=True, slots=True)
class Applied:
    """Something that an import does: it decorates, derives a class, or calls."""

    how: Literal["decorator", "base", "call"]
    name: Dotted
    to: str = ""
    """The class or function that is decorated or derived."""
    calls: int = 0
    """How often it is called: twice in `register_function_block(registration)(Block)`."""
    arguments: tuple[Dotted, ...] = ()


@dataclass(slots=True)
class TopLevel:
    """One module. A name may be bound more than once, as in `try: import a except ImportError: import b`."""

    bindings: dict[str, list[Imported | Defined]] = field(default_factory=dict[str, list[Imported | Defined]])
    stars: list[str] = field(default_factory=list[str])
    applied: list[Applied] = field(default_factory=list[Applied])


def parse(text: Text) -> ast.Module:
    """Return the syntax tree. Raises `SyntaxError`, `ValueError`, `RecursionError` or `MemoryError`."""
    return ast.parse(text.source, filename=text.file)


def top_level_of(text: Text, tree: ast.Module) -> TopLevel:
    """Return what the module does at its import, as far as its text shows it."""
    found = TopLevel()
    _read(tree.body, text, found, runs=True)
    return found


def imports_below(node: ast.AST, text: Text) -> TopLevel:
    """Return the names that are imported anywhere in `node`, for example in the body of a function."""
    found = TopLevel()
    for child in ast.walk(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            _bind_import(child, text, found)
    return found


def names_below(node: ast.AST) -> set[Dotted]:
    """Return every dotted name in `node`."""
    return {name for child in ast.walk(node) if (name := dotted(child))}


def dotted(node: ast.AST) -> Dotted:
    """Return a name with its parts; empty for anything else."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return (*before, node.attr) if before else ()
    return (node.id,) if isinstance(node, ast.Name) else ()


def _read(statements: list[ast.stmt], text: Text, found: TopLevel, *, runs: bool) -> None:
    for node in statements:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _bind_import(node, text, found)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.bindings.setdefault(node.name, []).append(Defined(node))
            if runs:
                found.applied.extend(_applied_to(node))
        elif isinstance(node, ast.If):
            _read(node.body, text, found, runs=runs and not _is_not_for_imports(node.test))
            _read(node.orelse, text, found, runs=runs)
        else:
            _bind_values(node, found)
            if runs:
                found.applied.extend(_calls_of(node))
            for block in _blocks_below(node):
                _read(block, text, found, runs=runs)


def _blocks_below(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(node, name, [])
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _is_not_for_imports(test: ast.expr) -> bool:
    """Whether this is the test of a main guard, or of code that only type checkers see."""
    if isinstance(test, ast.Compare):
        sides = {ast.unparse(side) for side in (test.left, *test.comparators)}
        return isinstance(test.ops[0], ast.Eq) and sides == {"__name__", "'__main__'"}
    return dotted(test)[-1:] == ("TYPE_CHECKING",)


def _bind_import(node: ast.Import | ast.ImportFrom, text: Text, found: TopLevel) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            binding = Imported(alias.name if alias.asname else bound)
            found.bindings.setdefault(bound, []).append(binding)
        return
    module = _absolute(node, text)
    if module is None:
        return
    for alias in node.names:
        if alias.name == "*":
            found.stars.append(module)
        else:
            found.bindings.setdefault(alias.asname or alias.name, []).append(Imported(module, alias.name))


def _absolute(node: ast.ImportFrom, text: Text) -> str | None:
    if not node.level:
        return node.module
    parts = text.package.split(".") if text.package else []
    above = node.level - 1
    if above > len(parts):
        return None
    return RELATIVE + ".".join((*parts[: len(parts) - above], *filter(None, [node.module])))


def _bind_values(node: ast.stmt, found: TopLevel) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    value = getattr(node, "value", None)
    for target in targets:
        if isinstance(target, ast.Name) and isinstance(value, ast.expr):
            found.bindings.setdefault(target.id, []).append(Defined(value))


def _applied_to(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Applied]:
    for decorator in node.decorator_list:
        if name := root_name(decorator):
            yield Applied("decorator", name, node.name)
    if not isinstance(node, ast.ClassDef):
        return
    for base in bases_of(node):
        yield Applied("base", base, node.name)
    # The statements in the body of a class run with it.
    for inner in node.body:
        if isinstance(inner, ast.ClassDef):
            yield from _applied_to(inner)


def bases_of(node: ast.ClassDef) -> list[Dotted]:
    """Return the names of a class's bases and of its metaclass, without what is in brackets."""
    given = [*node.bases, *(keyword.value for keyword in node.keywords if keyword.arg == "metaclass")]
    return [name for base in given if (name := root_name(base))]


def root_name(node: ast.expr) -> Dotted:
    """Return the name at the root of calls and brackets: `a.b` of `a.b(c)[d]`."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return dotted(node)


def _calls_of(node: ast.stmt) -> Iterator[Applied]:
    value = getattr(node, "value", None)
    waiting = [value] if isinstance(value, ast.expr) else []
    while waiting:
        part: ast.AST = waiting.pop()
        if isinstance(part, ast.Call) and (name := root_name(part)):
            yield Applied("call", name, calls=_calls_in(part), arguments=tuple(map(dotted, part.args)))
        if not isinstance(part, ast.Lambda):
            waiting.extend(child for child in ast.iter_child_nodes(part) if isinstance(child, ast.expr))


def _calls_in(node: ast.expr) -> int:
    count = 0
    while isinstance(node, ast.Call | ast.Subscript):
        count += isinstance(node, ast.Call)
        node = node.func if isinstance(node, ast.Call) else node.value
    return count
