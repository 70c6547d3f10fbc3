"""The registry in the form that blocks and their tests know: a view of this SDK's registry."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, MutableMapping
from typing import Any

from sdk.block import FunctionBlock as _FunctionBlock
from sdk.block_registry import RegisteredBlock, importing_module
from sdk.block_registry import registry as _registry
from sdk.compat.client import client_class
from sdk.compat.migration_hints import refusing
from sdk.registration import Registration
from sdk.schema import engine_schema

Entry = tuple[type[_FunctionBlock[Any, Any]], Registration, Any]


class FunctionBlocks(MutableMapping[str, Entry]):
    """The registered blocks by id: class, registration, and the description for the engine (a DTO)."""

    def __getitem__(self, identifier: str) -> Entry:
        block = _registry.function_blocks[identifier]
        return block.cls, block.registration, _dto(block.registration)

    def __setitem__(self, identifier: str, entry: Entry) -> None:
        _registry.function_blocks[identifier] = _registered(entry[0], entry[1])

    def __delitem__(self, identifier: str) -> None:
        del _registry.function_blocks[identifier]

    def __iter__(self) -> Iterator[str]:
        return iter(_registry.function_blocks)

    def __len__(self) -> int:
        return len(_registry.function_blocks)


class Registry:
    """The class of `registry`. It sends nothing: the worker registers the blocks."""

    def __init__(self, request_timeout: int | None = None) -> None:
        self.request_timeout = request_timeout

    @property
    def function_blocks(self) -> FunctionBlocks:
        """The registered blocks."""
        return FunctionBlocks()

    def register(self, cls: type[_FunctionBlock[Any, Any]], registration: Registration) -> None:
        """Add a block. Raises `DuplicateBlockError` if another class has its id."""
        _registry.register(_registered(cls, registration))
        cls.registration = registration


def _registered(cls: type[_FunctionBlock[Any, Any]], registration: Registration) -> RegisteredBlock:
    return RegisteredBlock(
        cls,
        registration,
        module=cls.__module__,
        file=inspect.getsourcefile(cls) or "unknown",
        line=inspect.getsourcelines(cls)[1],
        importing=importing_module(),
    )


def _dto(registration: Registration) -> Any:
    return client_class("RegisterFunctionBlockDto")(
        name=registration.name,
        package=registration.package,
        majorVersion=registration.major_version,
        minorVersion=registration.minor_version,
        patchVersion=registration.patch_version,
        description=registration.description,
        runOn=registration.run_on,
        fbType=registration.fb_type,
        markdownHelpText=registration.markdown_helptext,
        deprecated=registration.deprecated,
        parameterJsonSchema=engine_schema(registration.param_cls),
        resultDataJsonSchema=engine_schema(registration.result_cls, mode="serialization"),
        isIdempotent=registration.is_idempotent,
        isPure=registration.is_pure,
        reversible=registration.reversible,
    )


registry = Registry()

__getattr__ = refusing(__name__)
