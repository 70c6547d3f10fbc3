"""Pieces of the alias that a block or its test uses by itself: loggers, parameters, plugins, lab devices."""

import asyncio
import importlib
import logging
import sys
import time
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, cast

import pytest
from pydantic import Field, create_model

from sdk.compat.finder import install_alias
from sdk.compat.installed.logs import send_logs_to
from sdk.errors import EntityNotInContextError
from sdk.logger import block_logger
from sdk.testing.devices import EmulatedIos
from tests.patience import PATIENCE_SECONDS

install_alias()

PASSWORD = "never-to-be-seen-2"


def of(name: str) -> Any:
    """A module of the alias."""
    return importlib.import_module(f"neops_worker_sdk.{name}")


@pytest.mark.parametrize(
    ("message", "args", "named", "text"),
    [
        ("{} of {total}", (3,), {"total": 7}, "3 of 7"),
        ("100 % sure", (), {}, "100 % sure"),
        ('{"a": 1}', (), {}, '{"a": 1}'),
        ('{"a": {}}', (5,), {}, '{"a": {}}'),
        ("%s left", (2,), {}, "%s left"),
        ("by percent %s {", (2,), {}, "by percent 2 {"),
        ("now at {level}", (), {"level": "debug"}, "now at debug"),
        ("{:>4} left", (None,), {}, "{:>4} left"),
    ],
)
def test_a_message_is_filled_in_by_braces_and_never_lost(
    message: str, args: Any, named: Any, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        of("logger").logger_for(SimpleNamespace()).info(message, *args, **named)
    assert [record.getMessage() for record in caplog.records] == [text]


def test_a_logger_is_one_of_the_other_package_s_and_carries_its_context(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = of("logger").logger_for(SimpleNamespace(), None, device="sw1").with_context(port=5)
    assert isinstance(logger, of("logger").BaseLogger)
    with caplog.at_level(logging.INFO):
        logger.warning("down", speed=1)
    expected = {"class": "SimpleNamespace", "device": "sw1", "port": 5, "speed": 1}
    assert vars(caplog.records[0])["context"] == expected


def test_an_author_s_own_logger_is_kept_as_it_is_and_gets_what_the_block_and_this_worker_log() -> None:
    function_block, base = of("function_block.function_block"), of("logger.base").BaseLogger
    names = ("debug", "info", "warning", "error", "critical", "exception")
    lines: list[str] = []
    methods = {name: lambda self, msg, *args, kind=name: lines.append(f"{kind}: {msg}") for name in names}
    own = type("Own", (base,), methods)()

    class Block(function_block.FunctionBlock):  # type: ignore[misc,name-defined]  # loaded at run time
        async def acquire(self, params: Any) -> Any: ...

        async def run(self, params: Any, context: Any) -> Any:
            self.logger.info("mine")
            raise ValueError("no")

    block = Block(logger=own)
    assert block.logger is own
    params, context = of("function_block.engine_schema").EngineSchemaFunctionBlockParams(), None
    result = asyncio.run(block.execute_function_block(params, context))
    assert not result.success
    assert lines[0] == "info: mine"
    assert "ValueError: no" in lines[1]


def test_a_list_that_the_given_context_has_as_none_stays_none_and_is_no_change() -> None:
    given = SimpleNamespace(devices=None, interfaces=[], device_groups=None)
    context = of("workflow.workflow_context").WorkflowContext(given, "global")
    assert (context.devices, context.interfaces, context.device_groups) == (None, [], None)
    assert context.compute_db_updates() is None
    with pytest.raises(EntityNotInContextError):
        of("workflow.workflow_context").WorkflowContext(given, "device", 7)


def test_each_platform_is_one_that_netmiko_has() -> None:
    known = importlib.import_module("netmiko").platforms
    mappings = of("connection.utils.platform_mappings")
    assert [each for each in mappings.NEOPS_NETMIKO_PLATFORM_MAPPING.values() if each not in known] == []
    device = SimpleNamespace(id=7, platform=SimpleNamespace(short_name="iosxr"))
    assert mappings.get_netmiko_platform(device) == "cisco_xr"
    with pytest.raises(of("connection.exceptions").PlatformNotSupportedError, match="napalm"):
        mappings.get_napalm_platform(SimpleNamespace(id=7, platform=None))


def test_what_an_installed_package_logs_by_loguru_becomes_the_job_s_own_records(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sinks: list[Any] = ["what was there before"]
    loguru = SimpleNamespace(remove=sinks.clear, add=lambda sink, **options: sinks.append(sink))
    monkeypatch.setitem(sys.modules, "loguru", cast("Any", SimpleNamespace(logger=loguru)))
    send_logs_to(block_logger("a job"))
    (sink,) = sinks
    error = ValueError("odd")
    record = {
        "level": SimpleNamespace(no=30),
        "message": "100 % sure",
        "extra": {"device": "sw1"},
        "exception": SimpleNamespace(type=ValueError, value=error, traceback=None),
    }
    with caplog.at_level(logging.INFO):
        sink(SimpleNamespace(record=record))
    (found,) = caplog.records
    assert (found.levelno, found.getMessage(), vars(found)["context"]) == (
        30,
        "100 % sure",
        {"device": "sw1"},
    )
    assert found.exc_info is not None
    assert found.exc_info[1] is error


def test_a_redactor_hides_by_key_and_by_mark_and_leaves_nulls() -> None:
    params = of("function_block.params")
    redactor = of("logger.redaction").Redactor()
    secret = params.Credential(username="u", password="p")
    assert redactor.dump({"l": [secret], "Api_Key": None, "token": 1}) == {
        "l": [{"username": "u", "password": "***", "platform": None}],
        "Api_Key": None,
        "token": "***",
    }


@pytest.mark.parametrize(
    ("variable", "hidden"),
    [
        ("pin", ["pin", "spin"]),
        (" Pin , codeword,,", ["pin", "spin", "Codeword"]),
        ("pin;codeword", []),
        ("", []),
    ],
)
def test_the_usual_redactor_hides_what_the_operator_has_named_too(
    variable: str, hidden: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    redaction = of("logger.redaction")
    monkeypatch.setenv("LOG_REDACT_EXTRA_KEYS", variable)
    values = {"pin": "1", "spin": 2, "Codeword": [3], "site": "zrh"}
    dumped = redaction.default_redactor().dump({**values, "password": "p"})
    assert dumped.pop("password") == "***"
    assert [key for key, value in dumped.items() if value == "***"] == hidden
    assert redaction.Redactor().dump(values) == values


def test_a_host_s_own_login_is_hidden_as_a_whole() -> None:
    host = of("function_block.params").Host(ip="10.0.0.1", username="me", password="mine", platform="ios")
    dumped = of("logger.redaction").Redactor().dump(host)
    assert dumped == {"ip": "10.0.0.1", "username": "***", "password": "***", "platform": "ios"}


def test_a_host_s_own_login_is_tried_without_a_platform() -> None:
    params = of("function_block.params")
    host = params.Host(ip="10.0.0.1", username="me", password="mine", platform="ios")
    (login,) = host.candidate_credentials([params.Credential(username="u", password="p", platform="ios")])
    assert (login.username, login.password, login.platform) == ("me", "mine", None)


@pytest.mark.parametrize("status", ["testing", "lowerLayerDown", "", 5, [], SimpleNamespace(value="odd")])
def test_a_status_that_is_not_known_is_stored_as_down(status: Any) -> None:
    states = of("workflow.entities").Interface.state_from_status
    assert states(status) == "DOWN"
    assert states(of("connection.capabilities.network_device_information").InterfaceStatus.UP) == "UP"


def test_a_shared_field_is_optional_by_its_type_alone() -> None:
    params, discovery = of("function_block.params"), of("function_block.discovery")
    types: dict[str, Any] = {
        "credentials": params.CredentialsField,
        "username": params.UsernameField,
        "password": params.PasswordField,
        "platform": params.PlatformField,
        "subnets": discovery.SubnetsField,
        "hosts": discovery.HostsField,
        "networks": Annotated[discovery.Subnets, Field(default=None)],
        "machines": Annotated[discovery.Hosts, Field(default=None)],
    }
    model = create_model("Declared", **types)
    assert "required" not in model.model_json_schema()
    nothing = dict.fromkeys(types)
    assert model().model_dump() == model(**nothing).model_dump() == nothing
    assert model(username="", platform="").model_dump() == nothing


def test_an_address_is_a_target_once_and_of_the_smallest_subnet_it_is_in() -> None:
    discovery = of("function_block.discovery")
    subnets = [{"cidr": "10.0.0.1/30", "platform": "frr"}, {"cidr": "10.0.0.2/32", "platform": "srl"}]
    wanted = discovery.DiscoveryParameters(subnets=subnets)
    assert [(each.host.ip, each.host.platform) for each in wanted.targets(0)] == [
        ("10.0.0.2", "srl"),
        ("10.0.0.1", "frr"),
    ]
    assert len(wanted.targets(2)) == 2
    with pytest.raises(discovery.TargetLimitExceeded):
        wanted.targets(1)


def test_a_device_of_a_lab_becomes_one_of_a_context() -> None:
    raw = {
        "ansible_host": "10.0.0.7",
        "ansible_user": "u",
        "ansible_ssh_pass": "p",
        "ansible_network_os": "frr",
    }
    lab_device = of("testing.devices.remote_lab_device").RemoteLabDevice
    device = lab_device.from_dto(SimpleNamespace(name="r1", raw=raw)).to_neops_device()
    assert (device.hostname, device.ip, device.platform.short_name) == ("r1", "10.0.0.7", "frr")
    assert (device.username, device.password) == ("u", "p")


def test_a_device_that_netlab_describes_has_its_management_address_and_the_whole_description() -> None:
    raw = {"mgmt": {"ipv4": "192.0.2.1", "ifname": "Ethernet0/0"}, "ansible_host": "r1", "box": "iol"}
    lab_device = of("testing.devices.remote_lab_device").RemoteLabDevice("r1", raw)
    assert (lab_device.ip, lab_device.host, lab_device.raw) == ("192.0.2.1", "192.0.2.1", raw)
    device = lab_device.to_neops_device()
    assert (device.hostname, device.ip) == ("r1", "192.0.2.1")


def test_a_context_that_does_not_fit_the_client_is_read_all_the_same_with_a_warning() -> None:
    warnings: list[str] = []
    context_class = of("workflow.workflow_context").WorkflowContext
    job = {"devices": [{"id": 1, "hostname": "sw1", "checks": {"a": 1}}]}
    context = context_class.from_job(job, "device", 1, warn=warnings.append)
    assert context.device.hostname == "sw1"
    assert "does not fit the installed client's classes" in warnings[0]


async def test_an_author_s_netmiko_plugin_talks_to_a_device_through_a_proxy() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        context = of("workflow.workflow_context").WorkflowContext.from_job(device.as_context(), "device", 1)
        output, closed = await asyncio.to_thread(ask, context.device, device.port)
    assert "r1 uptime is" in output
    assert closed


def ask(device: Any, port: int) -> tuple[str, bool]:
    """Send a command by a plugin that is defined here, and say whether the connection was closed after it."""
    base = of("connection.plugins.base.netmiko_plugin")
    execution = of("connection.capabilities.network_device_execution")
    registry = of("connection.registry")

    class Connection(base.NetmikoConnection):
        connect_defaults: ClassVar[dict[str, Any]] = {"port": port}

    class Plugin(base.NetmikoConnectionPluginBase, execution.NetworkDeviceExecutionCapability):
        platform = "ios"
        connection_class = Connection

        def send_command(self, command: str, timeout: int | None = None) -> Any:
            return execution.CommandResult(self.require_raw_connection().send_command(command), None)

        send_command_expect = send_interactive = None

    before = list(registry._plugins)
    registry.clear_registry()
    registry.register_connection_plugin()(Plugin)
    try:
        with of("connection.proxy").NetworkDeviceConnectionProxy.connect(device) as proxy:
            output = proxy.send_command("show version").output
            assert proxy.plugin.is_connection_alive()
        return output, not proxy.plugin.is_connection_alive()
    finally:
        registry._plugins[:] = before


def test_a_warning_of_code_that_blocks_is_whole_in_a_logger_that_fills_in_by_braces(
    caplog: pytest.LogCaptureFixture,
) -> None:
    detector = of("concurrency").BlockingDetector(0.05, of("logger").logger_for(SimpleNamespace()))
    detector.start("acme/show:1.0.0")
    try:
        asyncio.run(_blocking(caplog))
    finally:
        detector.stop()
    assert any("acme/show:1.0.0 blocks its event loop" in record.getMessage() for record in caplog.records)


async def _blocking(caplog: pytest.LogCaptureFixture) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not caplog.records and time.monotonic() < end:
        time.sleep(0.1)  # what is warned of: again, where the watching thread got no processor
