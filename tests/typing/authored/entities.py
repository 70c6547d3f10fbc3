"""What a block reads from its context, and what it changes there."""

from typing import Any, assert_type

from sdk import (
    Device,
    DeviceEntity,
    DeviceField,
    DeviceGroupEntity,
    DeviceReference,
    Interface,
    InterfaceEntity,
    InterfaceField,
    Platform,
    WorkflowContext,
)


def read(context: WorkflowContext) -> None:
    assert_type(context.device, DeviceEntity | None)
    assert_type(context.interface, InterfaceEntity | None)
    assert_type(context.device_group, DeviceGroupEntity | None)
    assert_type(context.devices, list[DeviceEntity])
    assert_type(context.interfaces, list[InterfaceEntity])
    assert_type(context.device_groups, list[DeviceGroupEntity])
    for device in context.devices:
        assert_type(device.hostname, str | None)
        assert_type(device.platform, Platform | None)
        assert_type(device.facts, dict[str, Any] | None)
        device.hostname.upper()  # expect: mypy[union-attr] basedpyright[reportOptionalMemberAccess]
        device.hostnam  # expect: mypy[attr-defined] basedpyright[reportAttributeAccessIssue]
    context.device.hostname  # expect: mypy[union-attr] basedpyright[reportOptionalMemberAccess]


def change(context: WorkflowContext, device: DeviceEntity) -> None:
    device.facts = {"uptime": 7}
    device.hostname = "r1"
    context.device = device
    context.devices.append(
        Device(
            hostname="r2",
            platform=Platform(short_name="ios"),
            skip_if_identifier_exists=True,
            identifier_fields=[DeviceField.hostname],
        )
    )
    context.interfaces.append(
        Interface(
            name="Gi0/1",
            device=DeviceReference(hostname="r2"),
            state=Interface.state_from_status("up"),
            skip_if_identifier_exists=True,
            identifier_fields=[InterfaceField.name],
        )
    )
    device.hostname = 5  # expect: mypy[assignment] basedpyright[reportAttributeAccessIssue]
    context.device = "r1"  # expect: mypy[assignment] basedpyright[reportAttributeAccessIssue]
    context.devices.append("r1")  # expect: mypy[arg-type] basedpyright[reportArgumentType]
    context.interfaces.append(device)  # expect: mypy[arg-type] basedpyright[reportArgumentType]
    Device(hostname="r3")  # expect: mypy[call-arg] basedpyright[reportCallIssue]
