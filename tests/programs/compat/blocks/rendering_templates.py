"""A template that the caller gives, with the package's filters, tags and capabilities."""

from neops_worker_sdk.connection.utils.jinja import get_jinja_capabilities, render_jinja_template
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


class RenderParams(FunctionBlockParams):
    template: str


class RenderResult(FunctionBlockResultData):
    text: str
    collected: dict[str, int]


@register_function_block(
    Registration(
        name="render",
        description="Renders a template",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=RenderParams,
        result_cls=RenderResult,
    )
)
class Render(FunctionBlock[RenderParams, RenderResult]):
    async def acquire(self, params: AcquireParams[RenderParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: RenderParams, context: WorkflowContext) -> FunctionBlockResult[RenderResult]:
        capabilities = get_jinja_capabilities(["rc"])
        text = render_jinja_template(
            params.template, capabilities=capabilities, rc="a variable", vlans={7}, names=["a", "b"]
        )
        data = RenderResult(text=text, collected=capabilities["rc"].results)
        return FunctionBlockResult(message="Rendered", success=True, data=data)
