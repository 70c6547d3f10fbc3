"""The methods of a block: can the worker call them, and does it await them as needed? Pure."""

import ast
from collections.abc import Iterator
from typing import Final

from supervisor.commands.check.finding import Finding, Level
from supervisor.commands.check.source import Method, Module, last_name, methods, registration_of

_CALLED_WITH: Final = {"run": (2, 3), "acquire": (1,), "rollback": (2, 3)}
"""With how many arguments the worker calls each, without `self`."""

_DECLARATION: Final = {
    "run": "run(self, params, context)",
    "acquire": "acquire(self, params)",
    "rollback": "rollback(self, params, context, result_from_failed=None)",
}


def check_methods(module: Module) -> Iterator[Finding]:
    """`run`, `acquire` and `rollback` must be async, and take the worker's arguments."""
    for block in module.blocks:
        for method in methods(block):
            if method.name in _CALLED_WITH:
                yield from _check_method(module.file, method)


def _check_method(file: str, method: Method) -> Iterator[Finding]:
    name = method.name
    if isinstance(method, ast.FunctionDef) and not method.decorator_list:
        yield Finding(
            file,
            method.lineno,
            Level.WARNING,
            f"{name}-not-async",
            f"{name} is not async: it runs in a thread, which can't be cancelled.",
            f"Declare it as `async def {name}`.",
        )
    # A decorator may change the arguments.
    if not method.decorator_list and not any(_takes(method.args, count) for count in _CALLED_WITH[name]):
        yield Finding(
            file,
            method.lineno,
            Level.ERROR,
            f"{name}-arity",
            f"{name}({ast.unparse(method.args)}) can't be called by the worker.",
            f"Declare it as {_DECLARATION[name]}.",
        )


def _takes(arguments: ast.arguments, count: int) -> bool:
    """Whether a method can be called with `count` positional arguments besides `self`."""
    places = len(arguments.posonlyargs) + len(arguments.args)
    required = places - len(arguments.defaults)
    if any(default is None for default in arguments.kw_defaults):
        return False
    return required <= count + 1 and (count + 1 <= places or arguments.vararg is not None)


def check_rollback(module: Module) -> Iterator[Finding]:
    """A block that is declared reversible must have a rollback, and the other way round."""
    for block in module.blocks:
        registration = registration_of(block)
        if registration is None:
            continue
        has_rollback = any(method.name == "rollback" for method in methods(block))
        reversible = _constant(registration, "reversible")
        # Another base may have a rollback: the import has checked that.
        if reversible is True and not has_rollback and _derives_from_the_sdk_only(block):
            yield Finding(
                module.file,
                block.lineno,
                Level.ERROR,
                "missing-rollback",
                f"{block.name} is declared reversible but has no rollback.",
                "Define rollback(), or leave reversible out.",
            )
        if has_rollback and reversible in (None, False):
            yield Finding(
                module.file,
                block.lineno,
                Level.WARNING,
                "rollback-unused",
                f"{block.name} has a rollback, and is not declared reversible: engines do not ask for it.",
                "Add reversible=True to its Registration.",
            )


def _derives_from_the_sdk_only(block: ast.ClassDef) -> bool:
    return [last_name(base) for base in block.bases] == ["FunctionBlock"]


def _constant(call: ast.Call, name: str) -> object:
    """Return the value of a keyword; `None` if it is not given, and `...` if it is not a constant."""
    for keyword in call.keywords:
        if keyword.arg is None:
            return ...
        if keyword.arg == name:
            return keyword.value.value if isinstance(keyword.value, ast.Constant) else ...
    return None
