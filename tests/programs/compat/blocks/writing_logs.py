"""The block's logger, a logger for a helper, secrets."""

from typing import Annotated

from neops_worker_sdk.function_block.acquire_params import AcquireParams
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
)
from neops_worker_sdk.logger import BaseLogger, Logger, logger_for
from neops_worker_sdk.logger.redaction import SENSITIVE
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.workflow.workflow_context import WorkflowContext

module_logger = Logger()


class Helper:
    def __init__(self, logger: BaseLogger | None = None) -> None:
        self.logger = logger_for(self, logger, part="helper")

    def work(self) -> str:
        self.logger.debug("The helper works")
        return "worked"


class LogParams(FunctionBlockParams):
    community: Annotated[str, SENSITIVE]


class LogResult(FunctionBlockResultData):
    helper: str
    context: dict[str, str]


@register_function_block(
    Registration(
        name="write_logs",
        description="Writes to its logger in every way there is",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=LogParams,
        result_cls=LogResult,
    )
)
class WriteLogs(FunctionBlock[LogParams, LogResult]):
    async def acquire(self, params: AcquireParams[LogParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: LogParams, context: WorkflowContext) -> FunctionBlockResult[LogResult]:
        module_logger.info("From the module")
        self.logger.info("Found {} of {total}", 3, total=7)
        bound = self.logger.with_context(device="sw1", port="Gi0/1")
        bound.warning("The port is down")
        try:
            int("only for the log")
        except ValueError:
            bound.exception("It went wrong")
        wanted = {key: str(value) for key, value in bound.get_context().items() if key in ("device", "port")}
        return FunctionBlockResult(
            message="Logged", success=True, data=LogResult(helper=Helper(self.logger).work(), context=wanted)
        )
