"""An author's own logger, given to a block that another block runs."""

from typing import Any

from neops_worker_sdk.function_block.acquire_params import AcquireParams
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
)
from neops_worker_sdk.logger import BaseLogger
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.workflow.workflow_context import WorkflowContext


class Collector(BaseLogger):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def debug(self, msg: object, *args: Any, **kwargs: Any) -> None:
        self.lines.append(f"debug {msg} {args}")

    def info(self, msg: object, *args: Any, **kwargs: Any) -> None:
        self.lines.append(f"info {msg} {args}")

    def warning(self, msg: object, *args: Any, **kwargs: Any) -> None:
        self.lines.append(f"warning {msg} {args}")

    def error(self, msg: object, *args: Any, **kwargs: Any) -> None:
        self.lines.append(f"error {msg} {args}")

    def critical(self, msg: object, *args: Any, **kwargs: Any) -> None:
        self.lines.append(f"critical {msg} {args}")

    def exception(self, msg: object, *args: Any, **kwargs: Any) -> None:
        self.lines.append(f"exception {msg} {args}")


class CollectParams(FunctionBlockParams):
    pass


class CollectResult(FunctionBlockResultData):
    lines: list[str]
    is_the_same: bool


class Inner(FunctionBlock[CollectParams, CollectResult]):
    async def acquire(self, params: AcquireParams[CollectParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(
        self, params: CollectParams, context: WorkflowContext
    ) -> FunctionBlockResult[CollectResult]:
        self.logger.info("{} of {}", 1, 2)
        self.logger.warning("no more")
        return FunctionBlockResult(message="Logged", success=True)


@register_function_block(
    Registration(
        name="collect_logs",
        description="Runs a block that logs elsewhere",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=CollectParams,
        result_cls=CollectResult,
    )
)
class CollectLogs(FunctionBlock[CollectParams, CollectResult]):
    async def acquire(self, params: AcquireParams[CollectParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(
        self, params: CollectParams, context: WorkflowContext
    ) -> FunctionBlockResult[CollectResult]:
        collector = Collector()
        inner = Inner(logger=collector)
        result = await inner.execute_function_block(params, context)
        data = CollectResult(lines=collector.lines, is_the_same=inner.logger is collector)
        return FunctionBlockResult(message=result.message, success=result.success, data=data)
