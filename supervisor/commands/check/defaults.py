"""Defaults that an author may misread: lists, dicts and sets, which all calls share; and wrong types. Pure."""

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from supervisor.commands.check.finding import Finding, Level
from supervisor.commands.check.source import Module, fields_of, last_name, methods

_DISPLAYS: Final = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_MAKERS: Final = frozenset(
    {"list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict"}
)
_CONSTANT_ANNOTATIONS: Final = frozenset({"ClassVar", "Final"})
_CODE: Final = "mutable-default"
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "bool": (bool,),
    "float": (float, int),
    "int": (int,),
    "str": (str,),
}
"""By the name of a field's type: what its default may be."""


def check_defaults(module: Module) -> Iterator[Finding]:
    """No list, dict or set may be the default of an argument, or an attribute of a block.

    It may be the default of a model's field: pydantic copies it for each object.
    """
    for block in module.blocks:
        yield from _attributes(module.file, block)
        yield from _arguments(module.file, block)


def _attributes(file: str, block: ast.ClassDef) -> Iterator[Finding]:
    for node in block.body:
        names: Sequence[ast.expr]
        if isinstance(node, ast.AnnAssign):
            names, value = [node.target], node.value
            if last_name(node.annotation) in _CONSTANT_ANNOTATIONS:
                continue
        elif isinstance(node, ast.Assign):
            names, value = node.targets, node.value
        else:
            continue
        found = [name.id for name in names if isinstance(name, ast.Name)]
        # Names in capitals are constants by convention (PEP 8).
        if value is None or not is_mutable(value) or all(name.isupper() for name in found):
            continue
        yield Finding(
            file,
            node.lineno,
            Level.WARNING,
            _CODE,
            f"{block.name}.{', '.join(found)} is a {_kind(value)} of the class: what a job puts into it is gone with "
            "the job's process. In a test without such a process, the next test still finds it.",
            "Make it in run(). If it is a constant, write its name in capitals.",
        )


def _arguments(file: str, block: ast.ClassDef) -> Iterator[Finding]:
    for method in methods(block):
        for default in (*method.args.defaults, *method.args.kw_defaults):
            if default is not None and is_mutable(default):
                yield Finding(
                    file,
                    default.lineno,
                    Level.WARNING,
                    _CODE,
                    f"{block.name}.{method.name} has a {_kind(default)} as the default of an argument: all calls "
                    "share it.",
                    "Use None, and make it in the method.",
                )


def is_mutable(node: ast.expr) -> bool:
    """Whether an expression makes a list, a dict or a set."""
    if isinstance(node, ast.Call):
        return last_name(node.func) in _MAKERS
    return isinstance(node, _DISPLAYS)


def _kind(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.List | ast.ListComp):
        return "list"
    return "dict" if isinstance(node, ast.Dict | ast.DictComp) else "set"


def check_types_of_defaults(module: Module) -> Iterator[Finding]:
    """A field's default must be of the field's type: pydantic checks what a job gives, but no default."""
    for model in module.models:
        if "validate_default" in ast.unparse(model):  # then pydantic checks them
            continue
        for name, node in fields_of(model):
            declared = node.annotation.id if isinstance(node.annotation, ast.Name) else ""
            default = _default_of(node.value)
            if default is None or _fits(declared, default.value):
                continue
            kind = "None" if default.value is None else f"of type {type(default.value).__name__}"
            yield Finding(
                module.file,
                node.lineno,
                Level.WARNING,
                "default-type",
                f"{model.name}.{name} is declared as {declared}, and its default is {kind}: nobody checks a default, "
                "the block gets it as it is.",
                f"Write {declared} | None." if default.value is None else "Give a default of that type.",
            )


def _default_of(value: ast.expr | None) -> ast.Constant | None:
    """Return the constant that is a field's default, also in `Field(...)`; `None` if there is none."""
    if isinstance(value, ast.Call) and last_name(value.func) == "Field":
        named = [keyword.value for keyword in value.keywords if keyword.arg == "default"]
        value = next(iter([*value.args, *named]), None)
    return value if isinstance(value, ast.Constant) else None


def _fits(declared: str, value: object) -> bool:
    return declared not in _TYPES or value is ... or isinstance(value, _TYPES[declared])
