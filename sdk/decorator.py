"""`@register_function_block`: how a module declares a block."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar

from sdk.block import FunctionBlock
from sdk.block_registry import RegisteredBlock, importing_module, registry
from sdk.declaration_advice import WRITE_REGISTRATION
from sdk.errors import RegistrationError
from sdk.method_shapes import check_methods
from sdk.registration import Registration

BlockT = TypeVar("BlockT", bound=FunctionBlock[Any, Any])

# A method that is not indented belongs to no class.
_DEFINE_RUN: Final = "Define it in the class, indented: 'async def run(self, params, context)'."


def register_function_block(reg: Registration) -> Callable[[type[BlockT]], type[BlockT]]:
    """Register the decorated class under `reg` and return it unchanged.

    The worker finds the block when it imports the module; nothing else is needed. Raises `RegistrationError` if the
    class can't be run as written (no `run`, other parameters than `params` and `context`, a generator, a constructor
    with its own arguments) or is decorated without a `Registration`. Raises `DuplicateBlockError` if its id is taken.
    Both errors name the class and say what to write. The module's other blocks are not found either.
    """
    _check_call(reg)
    frame = inspect.currentframe()
    caller = frame.f_back if frame else None
    file, line = (caller.f_code.co_filename, caller.f_lineno) if caller else ("unknown", 0)

    def register(cls: type[BlockT]) -> type[BlockT]:
        _check_class(cls, reg)
        block = RegisteredBlock(
            cls, reg, module=cls.__module__, file=file, line=line, importing=importing_module()
        )
        registry.register(block)
        cls.registration = reg
        return cls

    return register


def _check_call(given: Any) -> None:
    if isinstance(given, Registration):
        return
    if isinstance(given, type) and given is not Registration:
        # Without parentheses Python passes the class, and the returned value would replace the block.
        what = "it is decorated with register_function_block, but without a Registration"
        raise RegistrationError(what, where=given.__qualname__, advice=WRITE_REGISTRATION)
    got = "the class itself" if given is Registration else type(given).__qualname__
    raise RegistrationError(
        f"it needs a Registration, and got {got}", where="register_function_block", advice=WRITE_REGISTRATION
    )


def _check_class(cls: type[Any], reg: Registration) -> None:
    where = f"{getattr(cls, '__qualname__', cls)!s} ({reg.identifier})"
    if not (isinstance(cls, type) and issubclass(cls, FunctionBlock)):
        raise RegistrationError(
            "it is not a FunctionBlock", where=where, advice="Derive it from sdk.FunctionBlock."
        )
    if missing := sorted(cls.__abstractmethods__):
        advice = _DEFINE_RUN if "run" in missing else "Define it."
        raise RegistrationError(f"it has no {', '.join(missing)}", where=where, advice=advice)
    check_methods(cls, where)
    try:
        inspect.signature(cls).bind(logger=None)
    except TypeError:
        raise RegistrationError(
            "its constructor can't be called with a logger only",
            where=where,
            advice="Leave __init__ out, or take logger=None and pass it on to super().",
        ) from None
    if reg.reversible and cls.rollback is FunctionBlock.rollback:
        raise RegistrationError(
            "it is declared reversible but has no rollback",
            where=where,
            advice="Define rollback(), or leave reversible out.",
        )
