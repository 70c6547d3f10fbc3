"""What an author tests with plain pytest: the registry, a proxy that is replaced where it is imported."""

import talking_to_devices
import tested_beside_the_block
from neops_worker_sdk.connection.capabilities.network_device_execution import CommandResult
from neops_worker_sdk.registry import registry
from neops_worker_sdk.testing.factories.context_factory import create_workflow_context
from neops_workflow_engine_client import DeviceTypeDto, PlatformTypeDto


class FakeProxy:
    def __init__(self, *args, **kwargs):
        pass

    @classmethod
    def connect(cls, device, *args, **kwargs):
        return cls()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return None

    def send_command(self, command, timeout=None):
        return CommandResult(output=f"the answer to {command}", parsed_output=None)


async def test_a_proxy_is_replaced_where_it_is_imported(monkeypatch):
    monkeypatch.setattr(talking_to_devices, "DeviceProxy", FakeProxy)
    device = DeviceTypeDto(id=4, ip="10.0.0.4", platform=PlatformTypeDto(id=1, short_name="ios"))
    context = create_workflow_context("device", 4, devices=[device])
    block = talking_to_devices.AskDevice()
    result = await block.execute_function_block(
        talking_to_devices.AskParams(), context, propagate_exceptions=True
    )
    assert result.success
    assert result.data.output == "the answer to show version"


def test_the_block_is_in_the_registry():
    cls, registration, dto = registry.function_blocks["compat/list_logins:1.0.0"]
    assert cls is tested_beside_the_block.ListLogins
    assert registration.param_cls is tested_beside_the_block.LoginParams
    assert dto.name == "list_logins"


async def test_the_context_reports_its_changes():
    context = create_workflow_context("device", 4, devices=[DeviceTypeDto(id=4, hostname="old")])
    context.device.hostname = "new"
    updates = context.compute_db_updates().updates
    assert [update.actual_instance.path for update in updates] == ["hostname"]
    assert updates[0].to_dict()["value"] == "new"
