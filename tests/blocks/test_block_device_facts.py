"""neops_base/device_facts and neops_base/platform_detect: what they write into the inventory, and what they don't."""

from typing import Any

import pytest
from blocks_support import run_block

from blocks.devices.device_facts import DeviceFacts, DeviceFactsParams
from blocks.devices.platform_detect import PlatformDetect, PlatformDetectParams
from sdk import FunctionBlockResult, WorkflowContext
from sdk.connection import DeviceError
from sdk.connection.errors import ForeignShellError, NotSupportedError
from sdk.testing.devices import EmulatedIos, Faults

PASSWORD = "never-to-be-seen-1"
BY_HAND = {"serial": "by hand", "facts": {"rack": "B4"}, "model": "by hand"}


async def run(
    block: Any, params: Any, device: EmulatedIos, **known: Any
) -> tuple[FunctionBlockResult[Any], dict[str, Any]]:
    """Return the result, and what the engine is sent for the device."""
    job = device.as_context()
    job["devices"][0].update(known)
    context = WorkflowContext.from_job(job, "device", 1)
    result = await run_block(block, params.model_copy(update={"port": device.port}), context)
    return result, {update["path"]: update["value"] for update in context.compute_db_updates()}


async def test_facts_are_stored_and_what_others_wrote_stays() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        result, updates = await run(DeviceFacts(), DeviceFactsParams(), device, facts={"rack": "B4"})

    assert result.success, result.message
    assert result.message == "r1 is a Cisco EMU1000 and runs 15.9(3)EMU1"
    assert updates == {
        "vendor": "Cisco",
        "model": "EMU1000",
        "serial": "EMU0000LAB1",
        "software_release": "15.9(3)EMU1",
        "facts": {"rack": "B4", "hostname": "r1"},
    }


@pytest.mark.parametrize(
    ("block", "params"),
    [(DeviceFacts(), DeviceFactsParams(store=False)), (PlatformDetect(), PlatformDetectParams(store=False))],
)
async def test_nothing_is_stored_where_it_is_told_so(block: Any, params: Any) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        result, updates = await run(block, params, device)

    assert result.success, result.message
    assert updates == {}


async def test_a_platform_without_facts_is_refused_and_another_one_is_named() -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        with pytest.raises(NotSupportedError, match="eos"):
            await run(DeviceFacts(), DeviceFactsParams(), device, platform={"shortName": "eos"})
    async with EmulatedIos("admin", PASSWORD, faults=Faults(bash_shell=True)) as device:
        with pytest.raises(ForeignShellError):
            await run(DeviceFacts(), DeviceFactsParams(), device)


@pytest.mark.parametrize("platform", [None, {"id": 4, "shortName": "frr"}])
async def test_the_platform_of_the_inventory_is_neither_needed_nor_believed(platform: Any) -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        result, updates = await run(PlatformDetect(), PlatformDetectParams(), device, platform=platform)

    assert result.success, result.message
    assert updates == {
        "platform": {"short_name": "ios"},
        "vendor": "Cisco",
        "software_release": "15.9(3)EMU1",
    }
    assert ("the inventory said frr" in result.message) == (platform is not None)


async def test_a_device_that_is_not_recognised_is_a_failure_that_stores_nothing() -> None:
    faults = Faults(outputs={"show version": "A thing by ACME\n"})
    async with EmulatedIos("admin", PASSWORD, "r1", faults=faults) as device:
        result, updates = await run(PlatformDetect(), PlatformDetectParams(), device)

    assert (result.success, result.retryable) == (False, False)
    assert "'A thing by ACME'" in result.message
    assert updates == {}


async def test_a_login_that_fails_is_an_error_of_the_device() -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        with pytest.raises(DeviceError, match="refused"):
            await run(PlatformDetect(), PlatformDetectParams(), device, password="another")
