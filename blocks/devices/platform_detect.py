"""`neops_base/platform_detect`: finds out the platform of a device, in one login."""

from pydantic import Field

from blocks.devices.params import DeviceParams
from sdk import (
    DeviceEntity,
    FunctionBlock,
    FunctionBlockResult,
    FunctionBlockResultData,
    Platform,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.connection import Detection, detect_platform
from sdk.testing import fb_test_case_with_lab


class PlatformDetectParams(DeviceParams):
    """How to reach the device, and what to do with what was found."""

    store: bool = Field(default=True, description="Store platform, vendor and software release of the device")


class PlatformDetectResult(FunctionBlockResultData):
    """What was found. `platform` is a short name such as `ios`; `evidence` is the line that showed it.

    `has_shell`: the login leads to the shell of an operating system. `changed`: the inventory had another platform.
    """

    platform: str | None
    vendor: str | None
    software_release: str | None
    has_shell: bool
    evidence: str
    changed: bool


Result = FunctionBlockResult[PlatformDetectResult]


@fb_test_case_with_lab(
    "recognises IOS",
    PlatformDetectParams(),
    remote_lab_fixture="simple_iol",
    assertions=[
        lambda result: (result.data.platform, result.data.vendor) == ("ios", "Cisco"),
        lambda result: not result.data.changed,
        lambda result: "15.9(3)EMU1" in result.message,
    ],
)
@fb_test_case_with_lab(
    "recognises FRR behind a shell",
    PlatformDetectParams(),
    remote_lab_fixture="simple_frr",
    assertions=[
        lambda result: (result.data.platform, result.data.has_shell) == ("frr", True),
        lambda result: result.data.evidence.startswith("FRRouting"),
    ],
)
@register_function_block(
    Registration(
        package="neops_base",
        name="platform_detect",
        version=(1, 0, 0),
        description="Finds out the platform of a device in one login",
        markdown_helptext="Logs in once and sends a few commands that change nothing. Stores `platform`, "
        "`vendor` and `software_release`. Fails for a device that it does not recognise, and shows the last line of "
        "its answer.",
        run_on="device",
        fb_type="facts",
        param_cls=PlatformDetectParams,
        result_cls=PlatformDetectResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class PlatformDetect(FunctionBlock[PlatformDetectParams, PlatformDetectResult]):
    """Finds out the platform of a device. It does not need the platform of the inventory, nor trust it."""

    async def run(self, params: PlatformDetectParams, context: WorkflowContext) -> Result:
        """Return what was found; fails if the device is not recognised. Raises `DeviceError`."""
        device = context.device
        assert device is not None  # registered to run on a device
        found = await detect_platform(
            device,
            login_seconds=params.login_timeout_seconds,
            timeout=params.read_timeout_seconds,
            parameters=params,
        )
        before = device.platform.short_name if device.platform else None
        data = _data(found, changed=found.platform not in (None, before))
        name = device.hostname or device.ip or f"Device {device.id}"
        if found.platform is None:
            message = (
                f"{name} is of no platform that is known here. The last line that it said: {found.evidence!r}. "
                "Set its platform in the inventory by hand."
            )
            return Result(success=False, message=message, data=data, retryable=False)
        if params.store:
            _store(device, found, data.changed)
        release = f" {found.software_release}" if found.software_release else ""
        was = f" (the inventory said {before})" if before and data.changed else ""
        return Result(
            success=True, message=f"{name} is of the platform {found.platform}{release}{was}", data=data
        )


def _data(found: Detection, *, changed: bool) -> PlatformDetectResult:
    return PlatformDetectResult(
        platform=found.platform,
        vendor=found.vendor,
        software_release=found.software_release,
        has_shell=found.has_shell,
        evidence=found.evidence,
        changed=changed,
    )


def _store(device: DeviceEntity, found: Detection, changed: bool) -> None:
    if changed:
        device.platform = Platform(short_name=found.platform)
    # Somebody may have written by hand what the device does not report.
    device.vendor = found.vendor or device.vendor
    device.software_release = found.software_release or device.software_release
