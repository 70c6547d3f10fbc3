"""This worker's own plugins behind the alias's proxies: what they answer and refuse, and who goes before them."""

import asyncio
import importlib
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from sdk.compat.finder import install_alias
from sdk.connection.errors import DeviceError
from sdk.testing.devices import EmulatedIos, EmulatedLab

install_alias()

PASSWORD = "never-to-be-seen-3"
T = TypeVar("T")


def of(name: str) -> Any:
    """A module of the alias."""
    return importlib.import_module(f"neops_worker_sdk.{name}")


@pytest.fixture
def registered() -> Iterator[Callable[[type], object]]:
    """Register plugins for one test."""
    registry = of("connection.registry")
    before = list(registry._plugins)
    yield registry.register_connection_plugin()
    registry._plugins[:] = before


def device(platform: str, **facts: Any) -> Any:
    """A device, as far as plugins look at it."""
    known = {"id": 7, "hostname": "r1", "ip": "127.0.0.1", "username": "admin", "password": PASSWORD}
    return SimpleNamespace(**known | facts, platform=SimpleNamespace(short_name=platform))


async def on_ios(work: Callable[[Any], T]) -> T:
    """What `work` makes of a proxy for an emulated IOS, in a thread as blocks do."""
    return await on_router(lambda proxy, _: work(proxy))


async def on_router(work: Callable[[Any, EmulatedIos], T]) -> T:
    """As `on_ios`, for work that looks at the device too."""
    proxy_class = of("connection.proxy").NetworkDeviceConnectionProxy

    def connected(known: Any) -> T:
        with proxy_class.connect(known) as proxy:
            return work(proxy, router)

    async with EmulatedIos("admin", PASSWORD, "r1") as router:
        job = of("workflow.workflow_context").WorkflowContext.from_job(router.as_context(), "device", 1)
        return await asyncio.to_thread(connected, job.device)


async def test_a_configuration_is_replaced_by_the_lines_that_differ_and_one_that_was_never_saved_is_empty() -> (
    None
):
    def replaced(proxy: Any) -> tuple[str, str, str]:
        configuration = proxy.get_config()
        other = configuration.running.replace("hostname r1", "hostname r9")
        diff = proxy.replace_running_config(other).diff
        return configuration.startup, diff, proxy.get_config().running

    startup, diff, now = await on_ios(replaced)
    assert startup == ""
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == ["-hostname r1", "+hostname r9"]
    assert "hostname r9" in now


def test_what_a_lab_yields_becomes_the_client_s_devices_in_a_context_for_a_test() -> None:
    with EmulatedLab("r1") as lab:
        create = of("testing.factories.context_factory").create_workflow_context
        context = create("device", lab[0].id, devices=lab)
    assert isinstance(context.device, of("workflow.workflow_context").DeviceTypeDto)
    assert (context.device.hostname, context.device.platform.short_name) == ("r1", "ios")
    assert str(lab[0].port) in context.device.connection_options


async def test_a_refused_line_is_an_error_of_either_sdk_and_nothing_of_the_change_is_left() -> None:
    def refused(proxy: Any) -> tuple[BaseException, str]:
        with pytest.raises(of("connection.exceptions").NeopsConnectionError) as caught:
            proxy.send_configs(["interface Loopback7", "description x", "nonsense"])
        return caught.value, proxy.get_config().running

    error, running = await on_ios(refused)
    assert isinstance(error, DeviceError)
    assert error.retryable is False
    assert "nonsense" in str(error)
    assert "Loopback7" not in running


async def test_a_dialogue_waits_for_texts_and_for_the_prompt() -> None:
    def talked(proxy: Any) -> str:
        steps = [("copy running-config startup-config", "[startup-config]?"), ("", "")]
        return str(proxy.send_interactive(steps).output)

    assert "Destination filename" in await on_ios(talked)


async def test_a_dialogue_ends_without_an_error_where_the_prompt_comes_in_the_place_of_a_text() -> None:
    def talked(proxy: Any, router: EmulatedIos) -> tuple[list[str], list[str]]:
        router.typed.clear()
        steps = [
            ("show clock", ""),
            ("write memory", "Overwrite the previous"),
            ("y", ""),
            ("reload", "confirm"),
        ]
        said = [proxy.send_interactive(steps).output]
        said.append(proxy.send_command_expect("write memory", "Overwrite the previous").output)
        said.append(proxy.send_command("show version").output)
        return said, router.typed

    (whole, one, version), typed = await on_router(talked)
    assert "[OK]" in whole.splitlines()[-1]
    assert len(whole.splitlines()) > len(one.splitlines()), "the answers before it are there"
    assert "[OK]" in one
    assert version.startswith("Emulated IOS")
    assert typed == ["show clock", "write memory", "write memory", "show version"]


async def test_what_a_plugin_does_not_have_is_named_with_its_method() -> None:
    refusal = of("connection.exceptions").NotImplementedForThisPlatform

    def refused(proxy: Any) -> list[str]:
        found = []
        for call in (lambda: proxy.reload(), lambda: proxy.replace_startup_config("x")):
            with pytest.raises(refusal) as caught:
                call()
            found.append(str(caught.value))
        return found

    lifecycle, startup = await on_ios(refused)
    assert "reload()" in lifecycle
    assert "Call replace_running_config(), then save_config()" in startup


@pytest.mark.parametrize("platform", ["ios", "frr", "procurve"])
def test_a_device_that_can_not_be_reached_is_a_creation_error_that_says_whether_to_retry(
    platform: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    proxy = of("connection.proxy").NetworkDeviceConnectionProxy
    closed = device(platform, connection_options=f'{{"port": {port}}}')
    with pytest.raises(of("connection.exceptions").ConnectionCreationError) as caught:
        proxy.get_connection(closed)
    assert (caught.value.device_id, caught.value.retryable) == ("7", True)
    assert isinstance(caught.value.cause, DeviceError)
    assert PASSWORD not in str(caught.value)


def test_a_device_without_an_address_is_a_validation_error() -> None:
    proxy = of("connection.proxy").NetworkDeviceConnectionProxy
    with pytest.raises(of("connection.exceptions").ConnectionValidationError) as caught:
        proxy.get_connection(device("ios", ip=None))
    assert caught.value.missing_fields == ["ip"]


def test_an_author_s_plugin_that_can_do_as_much_goes_before_the_worker_s(
    registered: Callable[[type], object],
) -> None:
    resolve, execution = of("connection.registry").resolve_plugin, of("connection.capabilities")
    base = of("connection.plugins.base").NetmikoConnectionPluginBase
    needed = {execution.NetworkDeviceExecutionCapability}
    methods = dict.fromkeys(("send_command", "send_command_expect", "send_interactive"))
    bases = (base, execution.NetworkDeviceExecutionCapability)
    own = type("Own", bases, {**methods, "platform": "ios", "connection_library": "own"})
    assert type(resolve(device("ios"), required_capabilities=needed)).__name__ == "IosPlugin"
    registered(own)
    assert type(resolve(device("ios"), required_capabilities=needed)) is own
    more = {*needed, execution.NetworkDeviceInformationCapability}
    assert type(resolve(device("ios"), required_capabilities=more)).__name__ == "IosPlugin"
    assert type(resolve(device("ios"), connection_library="netmiko")).__name__ == "IosPlugin"


def test_the_registry_shows_the_plugins_as_the_package_does() -> None:
    snapshot = of("connection.registry").get_registry_snapshot()
    ios = of("connection.registry").ssh_plugins()["ios"]
    assert snapshot["plugins"]["ios"]["ssh"]["netmiko"] is ios
    assert snapshot["platform_defaults"]["ios"] is ios
    assert snapshot["connection_type_defaults"]["ios", "ssh"] is ios


async def test_frr_is_spoken_to_as_frr_and_not_as_the_linux_host_that_the_package_has_netmiko_see() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as router:
        options = f'{{"port": {router.port}}}'
        proxy = of("connection.proxy").NetworkDeviceConnectionProxy
        with pytest.raises(of("connection.exceptions").ConnectionCreationError) as caught:
            await asyncio.to_thread(proxy.get_connection, device("frr", connection_options=options))
    assert "platform frr" in str(caught.value)
