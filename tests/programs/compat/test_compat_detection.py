"""Detection by the alias: what it makes of a host, and what authors add to it."""

import importlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sdk.compat.finder import install_alias
from sdk.testing.devices import EmulatedIos, Faults
from tests.programs.compat.test_compat_own_plugins import PASSWORD, device

install_alias()

detection: Any = importlib.import_module("neops_worker_sdk.connection.detection")
probes: Any = importlib.import_module("neops_worker_sdk.connection.detection.probe")
registry: Any = importlib.import_module("neops_worker_sdk.connection.registry")
exceptions: Any = importlib.import_module("neops_worker_sdk.connection.exceptions")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    kept = list(probes._probes), list(registry._plugins)
    yield
    probes._probes[:], registry._plugins[:] = kept


async def report_of(faults: Faults | None = None, **config: Any) -> Any:
    """What is found out of an emulated device."""
    async with EmulatedIos("admin", PASSWORD, "r1", faults=faults or Faults()) as router:
        target = detection.DetectionTarget("127.0.0.1", "admin", PASSWORD, port=router.port)
        return await detection.PlatformDetector(detection.DetectionConfig(**config)).detect(target)


async def test_a_device_is_told_with_the_line_that_gave_it_away_and_no_password_is_in_the_report() -> None:
    report = await report_of()
    assert report.summary() == "127.0.0.1: detected=ios [tcp:inconclusive -> exec:detected]"
    assert "IOS Software" in report.attempts[-1].evidence
    target = detection.DetectionTarget("127.0.0.1", "admin", PASSWORD)
    assert PASSWORD not in repr(report) + repr(target)


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (Faults(http_service=True), detection.ExclusionReason.NON_SSH_SERVICE),
        (Faults(bash_shell=True), detection.ExclusionReason.POSIX_SHELL_ONLY),
    ],
)
async def test_what_is_no_device_is_said_with_the_reason(faults: Faults, reason: Any) -> None:
    report = await report_of(faults)
    assert (report.outcome, report.reason) == (detection.DetectionOutcome.NOT_A_DEVICE, reason)


async def test_a_device_that_does_not_answer_in_time_is_inconclusive() -> None:
    report = await report_of(Faults(auth_hang=True), total_budget=3)
    assert report.outcome == detection.DetectionOutcome.INCONCLUSIVE
    assert "no answer within" in report.attempts[-1].error


async def test_without_a_login_the_host_is_only_reached() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as router:
        target = detection.DetectionTarget("127.0.0.1", port=router.port)
        report = await detection.PlatformDetector().detect(target)
    assert [each.error for each in report.attempts] == [None, "there is no login for it"]


async def test_the_signature_of_an_author_s_plugin_tells_what_nothing_else_knows() -> None:
    base = importlib.import_module("neops_worker_sdk.connection.plugins.base").NetmikoConnectionPluginBase
    signature = detection.PlatformSignature("show inventory", "^PARROT-9000")
    plugin = type("Parrot", (base,), {"platform": "parrot", "detection_signature": signature})
    registry.register_connection_plugin()(plugin)
    answers = {"show version": "Parrot OS 1", "show inventory": "name: cage\nPARROT-9000 green"}
    report = await report_of(Faults(outputs=answers))
    assert (report.platform, report.attempts[-1].evidence) == ("parrot", "PARROT-9000 green")


async def test_an_author_s_probe_has_its_turn_and_one_that_is_broken_stops_nothing() -> None:
    result = detection.ProbeResult

    class First(detection.PlatformProbe):  # type: ignore[misc]  # of the alias
        name = "first"
        order = 1

        async def probe(self, target: Any, ctx: Any) -> Any:
            raise KeyError("broken")

    class Second(detection.PlatformProbe):  # type: ignore[misc]  # of the alias
        name = "second"
        order = 2

        async def probe(self, target: Any, ctx: Any) -> Any:
            return result.detected("parrot", evidence="a  feather\n" + "x" * 300)

    for each in (Second, First):
        detection.register_platform_probe(each)
    assert detection.registered_probe_names() == ["first", "second", "tcp", "exec"]
    report = await report_of()
    first, second = report.attempts
    assert first.error == "KeyError: 'broken'"
    assert (second.platform, len(second.evidence)) == ("parrot", 200)
    with pytest.raises(probes.ProbeRegistrationError, match="already"):
        detection.register_platform_probe(First)
    with pytest.raises(probes.ProbeRegistrationError, match="'nonesuch'"):
        detection.get_probes(["tcp", "nonesuch"])
    assert [each.name for each in detection.get_probes(["exec", "tcp"], exclude=("tcp",))] == ["exec"]


async def test_the_plugin_asks_the_port_of_the_connection_options_and_says_what_is_wrong_with_them() -> None:
    proxy = importlib.import_module("neops_worker_sdk.connection.proxy").PlatformDetectionProxy
    async with EmulatedIos("admin", PASSWORD, "r1") as router:
        unknown = device("__detect__", connection_options=f'{{"port": {router.port}}}')
        report = await proxy.get_connection(unknown, connect=False).detect_platform()
    assert report.platform == "ios"
    unreadable = device("__detect__", connection_options="{port")
    with pytest.raises(exceptions.ConnectionCreationError, match="no JSON"):
        await proxy.get_connection(unreadable, connect=False).detect_platform()


@pytest.mark.parametrize(
    ("facts", "options"),
    [
        ({}, {"host": "127.0.0.9", "username": "another", "password": "another-1"}),
        ({"ip": None, "hostname": "127.0.0.1"}, {"host": "127.0.0.9"}),
        (
            {"ip": None, "hostname": None, "username": None, "password": None},
            {"host": "127.0.0.1", "username": "admin", "password": PASSWORD},
        ),
    ],
    ids=["the device has all", "the device has a hostname", "the device has nothing"],
)
async def test_the_plugin_takes_from_the_connection_options_what_the_device_itself_has_not(
    facts: dict[str, Any], options: dict[str, Any]
) -> None:
    proxy = importlib.import_module("neops_worker_sdk.connection.proxy").PlatformDetectionProxy
    async with EmulatedIos("admin", PASSWORD, "r1") as router:
        text = json.dumps(options | {"port": router.port})
        unknown = device("__detect__", **facts, connection_options=text)
        report = await proxy.get_connection(unknown, connect=False).detect_platform()
    assert (report.host, report.platform) == ("127.0.0.1", "ios")


def test_a_device_to_be_detected_is_the_client_s_and_of_no_platform_that_there_is() -> None:
    made = detection.make_detection_device("192.0.2.1", "admin", PASSWORD)
    assert isinstance(made, importlib.import_module("neops_workflow_engine_client").DeviceTypeDto)
    assert (made.ip, made.platform.short_name) == ("192.0.2.1", detection.DETECTION_PLATFORM)
    target = detection.DetectionTarget.from_device(
        SimpleNamespace(ip=None, username="a", password=None), 2222
    )
    assert (target.host, target.port, target.has_credentials) == ("", 2222, False)
