"""`neops_examples/naming_facts`: reads site, role and number of a device from its name, and stores them as facts.

This example reads a device of the context and changes it. After a success the worker sends the changes to the engine.
After a failure it sends nothing.
"""

import re

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.testing import BlockRunner, create_workflow_context, fb_test_case


class NamingFactsParams(FunctionBlockParams):
    """How names are put together."""

    separator: str = Field(default="-", min_length=1, description="What stands between the parts of a name")


class NamingFactsResult(FunctionBlockResultData):
    """The parts of the name."""

    site: str
    role: str
    number: int


# A case runs the block in a process of its own. It needs parameters, a context, and the expected result.
@fb_test_case(
    "reads a name of three parts",
    NamingFactsParams(),
    create_workflow_context("device", devices=[{"id": 7, "hostname": "fra1-leaf-12"}]),
    expected_result_data=NamingFactsResult(site="fra1", role="leaf", number=12),
)
@fb_test_case(
    "takes another separator",
    NamingFactsParams(separator="."),
    create_workflow_context("device", devices=[{"id": 7, "hostname": "fra1.leaf.12"}]),
    # To check more than equality, give functions. Each gets the result as the block returned it.
    assertions=[lambda result: result.data.site == "fra1"],
)
# An expected failure has a case as well.
@fb_test_case(
    "refuses a name of two parts",
    NamingFactsParams(),
    create_workflow_context("device", devices=[{"id": 7, "hostname": "printer-3"}]),
    succeeds=False,
    assertions=[lambda result: "printer-3" in result.message],
)
@register_function_block(
    Registration(
        package="neops_examples",
        name="naming_facts",
        version=(1, 0, 0),
        description="Learns site, role and number of a device from its name",
        markdown_helptext="Splits the device's name (`fra1-leaf-12`) and stores the parts as facts of the device.",
        run_on="device",
        fb_type="facts",
        param_cls=NamingFactsParams,
        result_cls=NamingFactsResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class NamingFacts(FunctionBlock[NamingFactsParams, NamingFactsResult]):
    """Reads site, role and number of a device from its name."""

    async def run(
        self, params: NamingFactsParams, context: WorkflowContext
    ) -> FunctionBlockResult[NamingFactsResult]:
        """Write the facts to the device. Fails if the name does not have three parts."""
        device = context.device
        name = (device.hostname if device is not None else None) or ""
        parts = re.fullmatch(r"{0}{1}{0}{1}(\d+)".format(r"(\w+)", re.escape(params.separator)), name)
        if device is None or parts is None:
            # People see this message in the workflow. Another try would not help.
            return FunctionBlockResult(
                success=False, message=f"{name!r} is not made of site, role and number", retryable=False
            )
        data = NamingFactsResult(site=parts[1], role=parts[2], number=int(parts[3]))
        # A new dict keeps the facts that others have written.
        device.facts = {**(device.facts or {}), **data.model_dump()}
        self.logger.info("%s is number %d of the %ss at %s", name, data.number, data.role, data.site)
        return FunctionBlockResult(success=True, message=f"Read {name}", data=data)


# A test function checks what a case can't: here, what the block changed in the database.
def test_what_it_learned_is_stored_beside_other_facts(block_runner: BlockRunner) -> None:
    """Facts that others have written stay."""
    device = {"id": 7, "hostname": "fra1-leaf-12", "facts": {"rack": "B4"}}
    outcome = block_runner.run(NamingFacts, None, {"devices": [device]})
    outcome.assert_succeeded().assert_logged("number 12 of the leafs", level="INFO")
    learned = {"site": "fra1", "role": "leaf", "number": 12}
    assert outcome.updates_of(7) == {"facts": {"rack": "B4", **learned}}
