"""Blocks of an unusual shape that work all the same, some with a warning."""

import contextvars
import threading
import time
from typing import Annotated, Any, ClassVar

from common import Anything, Choice, bad
from pydantic import Field

from sdk import (
    SENSITIVE,
    AcquireParams,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockRollbackResult,
    JobMeta,
    WorkflowContext,
    register_function_block,
)

OK = FunctionBlockResult[Anything](success=True, message="ok")

flavour = contextvars.ContextVar("flavour", default="none")


class Picky(FunctionBlockParams):
    count: int
    ports: list[int] = Field(default_factory=list)
    pin: Annotated[str, SENSITIVE] = ""


@register_function_block(bad("picky", param_cls=Picky))
class PickyBlock(FunctionBlock[Picky, Anything]):
    async def run(self, params: Picky, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        return OK


@register_function_block(bad("plain"))
class Plain(FunctionBlock[Choice, Anything]):
    def __init__(self, logger: Any = None) -> None:
        super().__init__(logger)
        flavour.set("vanilla")

    def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:  # type: ignore[override]
        if params.which == "hang":
            time.sleep(60)
        in_main = threading.current_thread() is threading.main_thread()
        return FunctionBlockResult(success=True, message=f"{in_main} {flavour.get()}")

    def acquire(self, params: AcquireParams[Choice]) -> FunctionBlockAcquireResult:  # type: ignore[override]
        return FunctionBlockAcquireResult(success=True, message="ok")

    def rollback(  # type: ignore[override]
        self, params: Choice, context: WorkflowContext, result_from_failed: Any = None
    ) -> FunctionBlockRollbackResult:
        return FunctionBlockRollbackResult(success=True, message="ok")


@register_function_block(bad("with_meta"))
class WithMeta(FunctionBlock[Choice, Anything]):
    async def run(
        self, params: Choice, context: WorkflowContext, meta: JobMeta
    ) -> FunctionBlockResult[Anything]:
        return FunctionBlockResult(success=True, message=meta.block_id)


@register_function_block(bad("no_super"))
class NoSuper(FunctionBlock[Choice, Anything]):
    def __init__(self, logger: Any = None) -> None:
        self.mine = 1

    async def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        self.logger.info("still logging")
        return OK


@register_function_block(bad("größe", package="büro", description="Räumt auf: \N{BROOM}"))
class Größe(FunctionBlock[Choice, Anything]):
    async def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        fehlerhaft = {"schlüssel": "wert \N{BROOM}"}
        if params.which == "raise":
            raise ValueError("unmöglich")
        return FunctionBlockResult(success=True, message="fertig \N{BROOM}", data=Anything(value=fehlerhaft))


seen: list[str] = []


@register_function_block(bad("mutating"))
class Mutating(FunctionBlock[Choice, Anything]):
    jobs: ClassVar[list[str]] = []
    default: ClassVar[dict[str, int]] = {"count": 0}

    async def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        before = [len(seen), len(self.jobs), type(self).default["count"], type(self).run is OWN_RUN]
        seen.append(params.which)
        self.jobs.append(params.which)
        type(self).default["count"] += 1
        type(self).run = None  # type: ignore[method-assign, assignment]
        return FunctionBlockResult(success=True, message="ok", data=Anything(value=before))


OWN_RUN = Mutating.run
