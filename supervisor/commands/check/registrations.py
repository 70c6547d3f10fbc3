"""Whether a block is registered, and with the models for which it is written. Pure."""

import ast
from collections.abc import Iterator
from typing import Final

from supervisor.commands.check.finding import Finding, Level
from supervisor.commands.check.source import Module, last_name, methods, registration_of

_MODELS: Final = ("param_cls", "result_cls")


def check_models(module: Module) -> Iterator[Finding]:
    """The registration must name the models of `FunctionBlock[P, R]`, or models from which these derive."""
    bases = {model.name: {last_name(base) for base in model.bases} for model in module.models}
    for block in module.blocks:
        registration, written = registration_of(block), _written_for(block)
        given = {} if registration is None else {each.arg: each.value for each in registration.keywords}
        for keyword, name in zip(_MODELS, written, strict=False):
            registered = last_name(given[keyword]) if keyword in given else ""
            if name and registered and name not in _lineage(registered, bases):
                yield Finding(
                    module.file,
                    given[keyword].lineno,
                    Level.WARNING,
                    "other-models",
                    f"{block.name} is written for {name}, and registered with {keyword}={registered}.",
                    "Name the same class in both places: the worker uses the registered ones for jobs and results.",
                )


def check_registered(module: Module) -> Iterator[Finding]:
    """A block that could run must have the decorator: without it the worker does not know the block."""
    mentioned = {last_name(base) for block in module.blocks for base in block.bases} | module.called_with
    for block in module.blocks:
        is_a_base = (
            block.name in mentioned or block.name.startswith(("_", "Base")) or block.name.endswith("Base")
        )
        # Another decorator may register it, and a class without its own run() is a base or an error.
        if block.decorator_list or is_a_base or not _has_run(block):
            continue
        yield Finding(
            module.file,
            block.lineno,
            Level.WARNING,
            "not-registered",
            f"{block.name} is a FunctionBlock without @register_function_block: the worker does not know it.",
            f"Register it. If it is only a base class, call it _{block.name}.",
        )


def _written_for(block: ast.ClassDef) -> list[str]:
    for base in block.bases:
        if isinstance(base, ast.Subscript) and last_name(base) == "FunctionBlock":
            arguments = base.slice.elts if isinstance(base.slice, ast.Tuple) else [base.slice]
            return [last_name(argument) for argument in arguments]
    return []


def _lineage(name: str, bases: dict[str, set[str]]) -> set[str]:
    """Return the class and its bases, as far as the module shows them."""
    found, todo = set[str](), [name]
    while todo:
        if (each := todo.pop()) not in found:
            found.add(each)
            todo += bases.get(each, set())
    return found


def _has_run(block: ast.ClassDef) -> bool:
    return any(
        method.name == "run" and "abstractmethod" not in map(last_name, method.decorator_list)
        for method in methods(block)
    )
