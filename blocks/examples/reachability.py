"""`neops_examples/reachability`: finds out which devices of a job can be reached, many at a time.

This example does things in parallel, with a limit, and ends in time.
"""

import asyncio
import socket

from pydantic import Field

from sdk import (
    DeviceEntity,
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.concurrency import run_parallel
from sdk.testing import BlockRunner, fb_test_case, fb_test_case_with_lab


class ReachabilityParams(FunctionBlockParams):
    """What to try, how long, and how many at a time."""

    ports: dict[str, int] = Field(default={}, description="TCP port by the device's name, where it is not 22")
    timeout_seconds: float = Field(default=3, gt=0, le=60, description="For each device")
    at_a_time: int = Field(default=20, ge=1, le=200, description="So many devices at a time")


class ReachabilityResult(FunctionBlockResultData):
    """Names of devices."""

    reachable: list[str]
    unreachable: list[str]


@fb_test_case(
    "has nothing to do without devices",
    ReachabilityParams(),
    None,
    expected_result_data={"reachable": [], "unreachable": []},
)
@fb_test_case_with_lab(
    "tells who answers from who does not",
    # Nobody listens on port 1.
    lambda lab: ReachabilityParams(ports={"off": 1, **{device.hostname: device.port for device in lab}}),
    run_on="global",
    base_devices=[{"id": 90, "hostname": "off", "ip": "127.0.0.1"}],
    remote_lab_fixture="emulated_lab",
    expected_result_data={"reachable": ["r1", "r2"], "unreachable": ["off"]},
)
@register_function_block(
    Registration(
        package="neops_examples",
        name="reachability",
        version=(1, 0, 0),
        description="Looks which devices can be reached over TCP",
        markdown_helptext="Opens a TCP connection to each device of the job, 20 at a time, and closes it again.",
        run_on="global",
        fb_type="check",
        param_cls=ReachabilityParams,
        result_cls=ReachabilityResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class Reachability(FunctionBlock[ReachabilityParams, ReachabilityResult]):
    """Finds out which devices can be reached over TCP."""

    async def run(
        self, params: ReachabilityParams, context: WorkflowContext
    ) -> FunctionBlockResult[ReachabilityResult]:
        """Try all devices. A device that does not answer is a finding, not a failure."""
        answered = await run_parallel(
            *(self._answers(device, params) for device in context.devices), limit=params.at_a_time
        )
        data = ReachabilityResult(reachable=[], unreachable=[])
        for device, reached in zip(context.devices, answered, strict=True):
            (data.reachable if reached else data.unreachable).append(device.hostname or str(device.id))
        message = f"{len(data.reachable)} of {len(answered)} devices can be reached"
        return FunctionBlockResult(success=True, message=message, data=data)

    async def _answers(self, device: DeviceEntity, params: ReachabilityParams) -> bool:
        address = device.ip or device.hostname
        if not address:  # asyncio would connect to the worker's own machine
            self.logger.warning("Device %s can't be reached: it has neither an address nor a name", device.id)
            return False
        port = params.ports.get(device.hostname or "", 22)
        try:
            async with asyncio.timeout(params.timeout_seconds):
                _, writer = await asyncio.open_connection(address, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: Python refuses a name such as `sw1..lab`
            why = str(error) or "no answer in time"
            self.logger.warning("Device %s can't be reached: %s", device.id, why)
            return False
        writer.close()
        return True


def test_a_device_that_does_not_answer_is_told_in_the_log(block_runner: BlockRunner) -> None:
    """The result has only names; the log says why."""
    devices = [{"id": 90, "hostname": "off", "ip": "127.0.0.1"}]
    outcome = block_runner.run(Reachability, {"ports": {"off": 1}}, {"devices": devices})
    outcome.assert_succeeded({"reachable": [], "unreachable": ["off"]}).assert_not_stalled()
    outcome.assert_logged("Device 90 can't be reached", level="WARNING").assert_updates([])


def test_a_device_that_can_not_be_addressed_is_a_finding_too(block_runner: BlockRunner) -> None:
    """The block does not connect to the worker's own machine, and still reports the other devices."""
    devices = [{"id": 91}, {"id": 92, "hostname": "sw1..example"}]
    with socket.create_server(("127.0.0.1", 0)) as here:
        outcome = block_runner.run(Reachability, {"ports": {"": here.getsockname()[1]}}, {"devices": devices})
    outcome.assert_succeeded({"reachable": [], "unreachable": ["91", "sw1..example"]})
    outcome.assert_logged("Device 91 can't be reached: it has neither").assert_logged("Device 92 can't be")


def test_a_device_that_keeps_silent_is_told_so(block_runner: BlockRunner) -> None:
    """An error without a text would tell the reader of the log nothing."""
    devices = [{"id": 90, "hostname": "mute", "ip": "127.0.0.1"}]
    with socket.create_server(("127.0.0.1", 0), backlog=0) as here:
        where = here.getsockname()
        # The queue has room for one waiting connection: the next one gets no answer.
        with socket.create_connection(where):
            parameters = {"ports": {"mute": where[1]}, "timeout_seconds": 0.3}
            outcome = block_runner.run(Reachability, parameters, {"devices": devices})
    outcome.assert_succeeded({"reachable": [], "unreachable": ["mute"]}).assert_logged("no answer in time")
