"""`neops_base/device_facts`: what a device is, and what runs on it."""

from pydantic import Field

from blocks.devices.params import DeviceParams
from sdk import (
    DeviceEntity,
    FunctionBlock,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.connection import DeviceFacts as Facts
from sdk.connection import Information
from sdk.testing import fb_test_case_with_lab


class DeviceFactsParams(DeviceParams):
    """How to reach the device, and what to do with what it says."""

    store: bool = Field(default=True, description="Store the facts in the inventory")


class DeviceFactsResult(FunctionBlockResultData):
    """What the device reports about itself, otherwise null: FRR has neither a model nor a serial number."""

    platform: str
    hostname: str | None
    vendor: str | None
    model: str | None
    serial: str | None
    software_release: str | None
    uptime_seconds: int | None


Result = FunctionBlockResult[DeviceFactsResult]


@fb_test_case_with_lab(
    "reads what IOS says of itself",
    DeviceFactsParams(),
    remote_lab_fixture="simple_iol",
    assertions=[
        lambda result: (result.data.platform, result.data.vendor) == ("ios", "Cisco"),
        lambda result: result.data.hostname == "r1",
        lambda result: bool(result.data.model and result.data.serial and result.data.software_release),
    ],
)
@fb_test_case_with_lab(
    "reads what FRR says of itself, which is no model and no serial number",
    DeviceFactsParams(),
    remote_lab_fixture="simple_frr",
    assertions=[
        lambda result: (result.data.vendor, result.data.hostname) == ("FRRouting", "r1"),
        lambda result: bool(result.data.software_release),
        lambda result: result.data.model is None and result.data.serial is None,
    ],
)
@register_function_block(
    Registration(
        package="neops_base",
        name="device_facts",
        version=(1, 0, 0),
        description="Reads vendor, model, serial number, software release and uptime of a device",
        markdown_helptext="For IOS, IOS-XE, FRR and Linux. Stores `vendor`, `model`, `serial`, `software_release`, and "
        "the fact `hostname`. What the device does not say stays as it is in the inventory.",
        run_on="device",
        fb_type="facts",
        param_cls=DeviceFactsParams,
        result_cls=DeviceFactsResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class DeviceFacts(FunctionBlock[DeviceFactsParams, DeviceFactsResult]):
    """Reads what a device is."""

    async def run(self, params: DeviceFactsParams, context: WorkflowContext) -> Result:
        """Return the facts. Raises `DeviceError`."""
        device = context.device
        assert device is not None  # registered to run on a device
        async with params.connect(device, Information) as connection:
            facts = await connection.get_information(timeout=params.read_timeout_seconds)
        if params.store:
            _store(device, facts)
        data = DeviceFactsResult(
            platform=facts.platform,
            hostname=facts.hostname,
            vendor=facts.vendor,
            model=facts.model,
            serial=facts.serial,
            software_release=facts.software_release,
            uptime_seconds=facts.uptime_seconds,
        )
        return Result(success=True, message=_message(device, facts), data=data)


def _store(device: DeviceEntity, facts: Facts) -> None:
    # Somebody may have written by hand what the device does not report.
    device.vendor = facts.vendor or device.vendor
    device.model = facts.model or device.model
    device.serial = facts.serial or device.serial
    device.software_release = facts.software_release or device.software_release
    if facts.hostname is not None:
        # A new dict keeps the facts that others have written. The uptime is left out: each run would change it.
        device.facts = {**(device.facts or {}), "hostname": facts.hostname}


def _message(device: DeviceEntity, facts: Facts) -> str:
    name = device.hostname or device.ip or f"Device {device.id}"
    release = facts.software_release or "a release that it does not say"
    if facts.model is None:
        return f"{name} runs {facts.vendor or ''} {release}".replace("  ", " ")
    return f"{name} is a {facts.vendor or ''} {facts.model} and runs {release}".replace("  ", " ")
