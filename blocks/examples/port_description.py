"""`neops_examples/port_description`: sets the description of a port, and can take it back.

This example shows the three parts of a reversible block. `acquire` says what the block will work on, before anything
runs. `run` does the work. `rollback` undoes it when a later step of the workflow has failed. It also has cases that
run against a lab.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from netmiko import ConnectHandler
from pydantic import Field

from sdk import (
    AcquireParams,
    DeviceEntity,
    EntityAcquireByElasticQuery,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    FunctionBlockRollbackResult,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.testing import BlockRunner, fb_test_case_with_lab

if TYPE_CHECKING:
    # Only the tests need it. A worker that loads this block does not need the library for emulated devices.
    from sdk.testing.devices import LabDevice


class PortDescriptionParams(FunctionBlockParams):
    """Which port, and what its description is."""

    port: str = Field(
        pattern=r"^[A-Za-z]+[0-9/]+$", description="Name of the port, such as GigabitEthernet0/2"
    )
    text: str = Field(pattern=r"^[\w .:-]{1,80}$", description="Its description")
    ssh_port: int = Field(default=22, ge=1, le=65535, description="TCP port of the device's SSH service")


class PortDescriptionResult(FunctionBlockResultData):
    """The description that the device has now; None for a port without one."""

    description: str | None


# The fixture `emulated_lab` starts two devices, and the job runs on the first. Their SSH ports are known only then.
# So a function makes the parameters from the lab.
@fb_test_case_with_lab(
    "describes the port",
    lambda lab: PortDescriptionParams(port="GigabitEthernet0/2", text="to spine1", ssh_port=lab[0].port),
    remote_lab_fixture="emulated_lab",
    expected_result_data={"description": "to spine1"},
)
@register_function_block(
    Registration(
        package="neops_examples",
        name="port_description",
        version=(1, 0, 0),
        description="Describes a port of a device",
        markdown_helptext="Sets the description of one port over SSH. Rolled back, the port has none.",
        run_on="device",
        fb_type="configure",
        param_cls=PortDescriptionParams,
        result_cls=PortDescriptionResult,
        is_idempotent=True,
        reversible=True,
        max_seconds=60,
    )
)
class PortDescription(FunctionBlock[PortDescriptionParams, PortDescriptionResult]):
    """Sets the description of a port."""

    async def acquire(self, params: AcquireParams[PortDescriptionParams]) -> FunctionBlockAcquireResult:
        """Ask for the port, so that no other workflow changes it at the same time."""
        if "port" in params.unresolved:
            # A step that has not run yet gives the port. So there is nothing to ask for.
            return FunctionBlockAcquireResult(success=True, message="The port is not known yet")
        query = EntityAcquireByElasticQuery(entity="interface", query=f'name:"{params.partial.port}"')
        return FunctionBlockAcquireResult(success=True, message="Acquired the port", acquires=[query])

    async def run(
        self, params: PortDescriptionParams, context: WorkflowContext
    ) -> FunctionBlockResult[PortDescriptionResult]:
        """Set the description, and return what the device has afterwards. Raises what netmiko raises."""
        found = await self._configure(params, context.device, f"description {params.text}")
        data = PortDescriptionResult(description=found)
        return FunctionBlockResult(success=True, message=f"Described {params.port}", data=data)

    async def rollback(
        self,
        params: PortDescriptionParams,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[PortDescriptionResult] | None = None,
    ) -> FunctionBlockRollbackResult:
        """Remove the description. Also works if there is none: the engine may ask for a rollback more than once."""
        await self._configure(params, context.device, "no description")
        return FunctionBlockRollbackResult(success=True, message=f"{params.port} has no description")

    async def _configure(
        self, params: PortDescriptionParams, device: DeviceEntity | None, line: str
    ) -> str | None:
        assert device is not None  # registered to run on a device

        def configure() -> str | None:
            with ConnectHandler(
                device_type="cisco_ios",
                host=device.ip or device.hostname,
                port=params.ssh_port,
                username=device.username,
                password=device.password,
            ) as connection:
                # Without a pattern, netmiko takes a refused line for a success.
                connection.send_config_set([f"interface {params.port}", line], error_pattern=r"^%")
                return description_in(str(connection.send_command("show running-config")), params.port)

        # netmiko blocks. In a thread, it does not stop the event loop, and the job can still be cancelled.
        return await asyncio.to_thread(configure)


def description_in(config: str, port: str) -> str | None:
    """Return the description of a port in a running configuration."""
    section = re.search(rf"^interface {re.escape(port)}\n((?: .*\n?)*)", config, flags=re.MULTILINE)
    found = re.search(r"^ description (.*)$", section[1], flags=re.MULTILINE) if section else None
    return found[1].strip() if found else None


def test_a_description_is_that_of_the_port() -> None:
    """A function that needs no process of its own gets an ordinary test."""
    config = "interface Vlan1\n description one\ninterface Vlan2\n shutdown\n"
    assert description_in(config, "Vlan1") == "one"
    assert description_in(config, "Vlan2") is None


def test_a_rollback_leaves_the_port_without_a_description(
    block_runner: BlockRunner, emulated_lab: list[LabDevice]
) -> None:
    """Set the description, then take it back."""
    router = emulated_lab[1]
    params = PortDescriptionParams(port="GigabitEthernet0/2", text="to spine1", ssh_port=router.port)
    context = {"devices": [router.to_neops_device()]}
    block_runner.run(PortDescription, params, context).assert_succeeded().assert_not_stalled()
    block_runner.rollback(PortDescription, params, context).assert_rolled_back("has no description")
    assert description_in(router.emulated.device.running_config(), params.port) is None


def test_it_asks_for_the_port_it_will_change(block_runner: BlockRunner) -> None:
    """It asks for nothing else, and for nothing at all while the port is not known."""
    outcome = block_runner.acquire(PortDescription, {"port": "Vlan1", "text": "x"})
    outcome.assert_acquired(EntityAcquireByElasticQuery(entity="interface", query='name:"Vlan1"'))
    block_runner.acquire(PortDescription, {"text": "x"}).assert_acquired()
