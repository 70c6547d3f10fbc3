"""Finding out what a device is, before any plugin can be chosen."""

import json
from typing import Any

from neops_worker_sdk.connection.detection import (
    DetectionConfig,
    DetectionReport,
    DetectionTarget,
    PlatformDetector,
    command_plan,
    get_signatures,
    make_detection_device,
    registered_probe_names,
)
from neops_worker_sdk.connection.proxy import PlatformDetectionProxy
from neops_worker_sdk.function_block.acquire_params import AcquireParams
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
)
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.workflow.workflow_context import WorkflowContext


class DetectParams(FunctionBlockParams):
    password: str | None = None
    port: int | None = None
    probes: list[str] | None = None
    by_proxy: bool = False


class DetectResult(FunctionBlockResultData):
    outcome: str
    platform: str | None
    reason: str | None
    is_detected: bool
    trail: list[str]
    has_evidence: bool


@register_function_block(
    Registration(
        name="detect",
        description="Finds out the platform of the job's device",
        package="compat",
        run_on="device",
        fb_type="facts",
        param_cls=DetectParams,
        result_cls=DetectResult,
    )
)
class Detect(FunctionBlock[DetectParams, DetectResult]):
    async def acquire(self, params: AcquireParams[DetectParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: DetectParams, context: WorkflowContext) -> FunctionBlockResult[DetectResult]:
        report = await look(params, context.device)
        data = DetectResult(
            outcome=report.outcome.value,
            platform=report.platform,
            reason=report.reason.value if report.reason else None,
            is_detected=report.detected,
            trail=[f"{each.probe}: {each.outcome.value}" for each in report.attempts],
            has_evidence=bool(report.attempts[-1].evidence),
        )
        return FunctionBlockResult(message="Looked", success=True, data=data)


async def look(params: DetectParams, device: Any) -> DetectionReport:
    config = DetectionConfig(probes=params.probes, total_budget=20)
    port = params.port or json.loads(device.connection_options or "{}").get("port", 22)
    if not params.by_proxy:
        target = DetectionTarget.from_device(device, port=port)
        target.password = params.password or device.password
        return await PlatformDetector(config).detect(target)
    unknown = make_detection_device(device.ip, device.username, device.password)
    unknown.connection_options = device.connection_options
    proxy = PlatformDetectionProxy.get_connection(unknown, connect=False)
    try:
        return await proxy.detect_platform(config)
    finally:
        proxy.close()


class KnownResult(FunctionBlockResultData):
    probes: list[str]
    platforms: list[str]
    first_command: str
    last_command: str


@register_function_block(
    Registration(
        name="know_platforms",
        description="Says what can be told apart",
        package="compat",
        run_on="global",
        fb_type="facts",
        param_cls=FunctionBlockParams,
        result_cls=KnownResult,
    )
)
class KnowPlatforms(FunctionBlock[FunctionBlockParams, KnownResult]):
    async def acquire(self, params: AcquireParams[FunctionBlockParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(
        self, params: FunctionBlockParams, context: WorkflowContext
    ) -> FunctionBlockResult[KnownResult]:
        plan = [command for command, _ in command_plan()]
        data = KnownResult(
            probes=registered_probe_names(),
            platforms=sorted(get_signatures()),
            first_command=plan[0],
            last_command=plan[-1],
        )
        return FunctionBlockResult(message="Known", success=True, data=data)
