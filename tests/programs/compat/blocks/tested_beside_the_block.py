"""A block with its test cases on it, and a shared parameter model."""

from neops_worker_sdk.function_block.acquire_params import AcquireParams
from neops_worker_sdk.function_block.engine_schema import EngineSchemaFunctionBlockParams
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockResult,
    FunctionBlockResultData,
)
from neops_worker_sdk.function_block.params import Credential, Host
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.testing.base.function_block_test_case import fb_test_case, fb_test_case_with_lab
from neops_worker_sdk.testing.factories.context_factory import create_workflow_context
from neops_worker_sdk.workflow.workflow_context import WorkflowContext
from neops_workflow_engine_client import DeviceTypeDto


class LoginParams(EngineSchemaFunctionBlockParams):
    host: Host
    credentials: list[Credential] | None = None


class LoginResult(FunctionBlockResultData):
    users: list[str]
    devices: list[str]


PARAMS = LoginParams(
    host=Host(ip="10.0.0.1"),
    credentials=[
        Credential(username="any", password="one-for-all"),
        Credential(username="frr", password="one-for-frr", platform="frr"),
    ],
)
CONTEXT = create_workflow_context(
    run_on="device", entity_id=1, devices=[DeviceTypeDto(id=1, hostname="sw1", ip="10.0.0.1")]
)


@fb_test_case_with_lab(
    "on a device of the lab",
    PARAMS,
    remote_lab_fixture="two_routers",
    assertions=[lambda result: result.data.devices == ["r1", "r2"]],
)
@fb_test_case("it fails without credentials", LoginParams(host=Host(ip="10.0.0.1")), CONTEXT, succeeds=False)
@fb_test_case(
    "it lists the logins",
    PARAMS,
    CONTEXT,
    expected_result_data=LoginResult(users=["any", "frr"], devices=["sw1"]),
    assertions=[lambda result: result.message == "2 logins for 10.0.0.1"],
)
@register_function_block(
    Registration(
        name="list_logins",
        description="Lists the logins to try on a host",
        package="compat",
        run_on="device",
        fb_type="check",
        param_cls=LoginParams,
        result_cls=LoginResult,
    )
)
class ListLogins(FunctionBlock[LoginParams, LoginResult]):
    async def acquire(self, params: AcquireParams[LoginParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: LoginParams, context: WorkflowContext) -> FunctionBlockResult[LoginResult]:
        logins = params.host.candidate_credentials(params.credentials)
        if not logins:
            return FunctionBlockResult(message="No login is known", success=False)
        return FunctionBlockResult(
            message=f"{len(logins)} logins for {params.host.ip}",
            success=True,
            data=LoginResult(
                users=sorted(each.username for each in logins),
                devices=[device.hostname or "?" for device in context.devices],
            ),
        )
