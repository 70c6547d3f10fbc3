"""The blocks and models in a module's source. It is read with `ast`: nothing is imported or run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from supervisor.commands.shared.imported_names import imported_names

_PARAMS: Final = "FunctionBlockParams"
_RESULT: Final = "FunctionBlockResultData"
_BLOCK: Final = "FunctionBlock"

Method = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One module: its blocks, its models, and which models are parameters.

    `called_with` has the names that are arguments of a call, as in `register_function_block(...)(Block)`.
    """

    file: str
    blocks: list[ast.ClassDef] = field(default_factory=list)
    models: list[ast.ClassDef] = field(default_factory=list)
    parameters: list[ast.ClassDef] = field(default_factory=list)
    called_with: set[str] = field(default_factory=set[str])
    imports: dict[str, int] = field(default_factory=dict[str, int])
    """Which top-level modules it imports by their names, and the line of the first such import."""


def read_module(file: Path) -> Module | None:
    """Return the content of a file, or `None` if it can't be read or parsed: its import has reported that."""
    try:
        return parse_module(str(file), file.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None


def parse_module(file: str, text: str | bytes) -> Module:
    """Return the content of a module's source. Bytes are in the encoding that they declare, as Python reads a file.

    Raises `SyntaxError` and `ValueError`.
    """
    module = Module(file)
    kinds: dict[str, str] = {}
    for node in ast.walk(ast.parse(text, filename=file)):
        if isinstance(node, ast.Call):
            module.called_with.update(map(last_name, node.args))
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in imported_names(node, relative=False):
                module.imports.setdefault(name, node.lineno)
        if not isinstance(node, ast.ClassDef):
            continue
        bases = [last_name(base) for base in node.bases]
        kind = next((found for base in bases if (found := kinds.get(base, _kind(base)))), "")
        kinds[node.name] = kind
        if kind == _BLOCK or _is_registered(node):
            module.blocks.append(node)
        elif kind:
            module.models.append(node)
            if kind == _PARAMS:
                module.parameters.append(node)
    return module


def _kind(base: str) -> str:
    return base if base in (_PARAMS, _RESULT, _BLOCK) else ""


def _is_registered(node: ast.ClassDef) -> bool:
    return registration_of(node) is not None


def registration_of(node: ast.ClassDef) -> ast.Call | None:
    """Return the call in `@register_function_block(Registration(...))`, if it is written like that."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and last_name(decorator.func) == "register_function_block":
            given = [*decorator.args, *(keyword.value for keyword in decorator.keywords)]
            return next((argument for argument in given if isinstance(argument, ast.Call)), None)
    return None


def last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name, without anything in brackets; an empty text for anything else."""
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def methods(node: ast.ClassDef) -> Iterator[Method]:
    """Yield the methods that are defined in the class itself."""
    for child in node.body:
        if isinstance(child, Method):
            yield child


def fields_of(node: ast.ClassDef) -> Iterator[tuple[str, ast.AnnAssign]]:
    """Yield the annotated fields of a model, without those that belong to the class only."""
    for child in node.body:
        if not (isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name)):
            continue
        if last_name(child.annotation) != "ClassVar":
            yield child.target.id, child
