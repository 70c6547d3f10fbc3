"""`@fb_test_case_with_lab`: a case against the devices that a fixture yields."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from harness_support import block_module

from sdk import DeviceEntity
from sdk.testing import HarnessError, create_workflow_context, fb_test_case_with_lab
from sdk.testing.case import Case
from sdk.testing.devices import EmulatedLab, LabDevice
from sdk.testing.lab_cases import Lab, with_lab
from sdk.testing.labs import devices_of

pytest_plugins = ["pytester"]


SEES = """
own = context.device.hostname if context.device else "-"
return ok(" ".join([own, *[str(device.id) for device in context.devices]]))
"""


def collect(
    pytester: pytest.Pytester, name: str, cases: str, body: str = SEES, run_on: str = "device"
) -> None:
    source = block_module(name, body, cases=cases, run_on=run_on)
    pytester.makepyfile(**{name: source.replace("fb_test_case\n", "fb_test_case_with_lab\n")})


CONFTEST = """
import pytest
from sdk import DeviceEntity

@pytest.fixture
def my_lab():
    yield [{"name": "leaf", "raw": {"ansible_host": "127.0.0.1"}}, DeviceEntity(id=9, hostname="spine")]
"""


def test_the_first_device_of_the_lab_is_the_job_s_and_runs_share_nothing(author_dir: pytest.Pytester) -> None:
    author_dir.makeconftest(CONFTEST)
    cases = """
BASE = [{"id": 1, "hostname": "base"}]
@fb_test_case_with_lab("one", Params(), base_devices=BASE, remote_lab_fixture="my_lab",
                       expected_result_data={"text": "leaf 2 9 1"})
@fb_test_case_with_lab("two", Params(), "device", iter(BASE), remote_lab_fixture="my_lab",
                       expected_result_data={"text": "leaf 2 9 1"})
@fb_test_case_with_lab("no lab", Params(), base_devices=BASE, expected_result_data={"text": "base 1"})
@fb_test_case_with_lab("global", Params(), "global", remote_lab_fixture="my_lab",
                       expected_result_data={"text": "- 1 9"})
"""
    collect(author_dir, "with_lab", cases)
    author_dir.runpytest().assert_outcomes(passed=4)
    author_dir.runpytest("-m", "not remote_lab").assert_outcomes(passed=1, deselected=3)
    author_dir.runpytest("-m", "function_block").assert_outcomes(passed=4)


def test_a_block_logs_in_to_an_emulated_device(author_dir: pytest.Pytester) -> None:
    cases = """
from netmiko import ConnectHandler
@fb_test_case_with_lab("logs in", lambda lab: Params(text=str(lab[0].port)), remote_lab_fixture="emulated_lab",
                       assertions=[lambda result: "hostname r1" in result.data.text])
"""
    body = """
device = context.device
def ask():
    with ConnectHandler(device_type="cisco_ios", host=device.ip, port=int(params.text), username=device.username,
                        password=device.password) as connection:
        return connection.send_command("show running-config")
return ok(await asyncio.to_thread(ask))
"""
    collect(author_dir, "logs_in", cases, body)
    author_dir.runpytest("-W", "default").assert_outcomes(passed=1)


def test_a_lab_that_yields_no_device_fails_the_case_and_says_so(author_dir: pytest.Pytester) -> None:
    author_dir.makeconftest("import pytest\n@pytest.fixture\ndef my_lab():\n    return []\n")
    case = '@fb_test_case_with_lab("none", Params(), remote_lab_fixture="my_lab", expected_result_data={"text": ""})'
    collect(author_dir, "no_device", case)
    result = author_dir.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*yielded no device*"])


def test_a_fixture_that_is_not_there_is_an_error_of_pytest(author_dir: pytest.Pytester) -> None:
    case = '@fb_test_case_with_lab("none", Params(), remote_lab_fixture="not_there", expected_result_data={"text": ""})'
    collect(author_dir, "no_fixture", case)
    result = author_dir.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'not_there' not found*"])


EXPECTED = {"expected_result_data": {"text": "x"}}


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((), EXPECTED, "no device to run on"),
        (("group",), EXPECTED, "no group to run on"),
        (("interface",), EXPECTED, "can't run on 'interface'"),
        ((), {**EXPECTED, "remote_lab_fixture": create_workflow_context}, "the name of a pytest fixture"),
        (("global",), EXPECTED | {"params": lambda lab: {}}, "no lab to call it with"),
    ],
    ids=lambda _: "",
)
def test_a_case_that_can_t_be_run_is_refused_where_it_stands(
    arguments: tuple[str, ...], options: dict[str, Any], said: str
) -> None:
    given = dict(options)
    params = given.pop("params", {})
    with pytest.raises(ValueError, match=said):
        fb_test_case_with_lab("x", params, *arguments, **given)


class FromDto:
    """As a device class of another toolkit: it converts itself."""

    def to_neops_device(self) -> DeviceEntity:
        return DeviceEntity(id=4, hostname="converted")


def test_whatever_a_lab_yields_becomes_devices_with_ids_of_their_own() -> None:
    raw = {
        "ansible_host": "127.0.0.1",
        "ansible_user": "u",
        "ansible_ssh_pass": "p",
        "ansible_network_os": "cisco.ios.ios",
    }
    lab = [SimpleNamespace(name="r1", raw=raw), FromDto(), {"hostname": "plain"}]
    assert devices_of(lab, taken=[1]) == [
        {
            "id": 2,
            "hostname": "r1",
            "ip": "127.0.0.1",
            "username": "u",
            "password": "p",
            "platform": {"id": 1, "name": "ios", "shortName": "ios"},
        },
        {"id": 4, "hostname": "converted"},
        {"id": 3, "hostname": "plain"},
    ]
    assert devices_of({"id": 5}) == [{"id": 5}]
    with pytest.raises(HarnessError, match="yielded a str, which is no device"):
        devices_of(["r1"])


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ({"mgmt": {"ipv4": "192.0.2.1"}, "ansible_user": "u"}, "192.0.2.1"),
        ({"mgmt": {"ipv4": "192.0.2.1"}, "ansible_host": "192.0.2.2"}, "192.0.2.1"),
        ({"mgmt": {"ipv4": None}, "ansible_host": "192.0.2.2"}, "192.0.2.2"),
        ({"mgmt": True, "host": "192.0.2.3"}, "192.0.2.3"),
        ({"mgmt": {"ifname": "eth0"}}, None),
    ],
)
def test_a_device_of_a_lab_has_the_address_by_which_netlab_manages_it(raw: Any, address: str | None) -> None:
    (device,) = devices_of([{"name": "r1", "raw": raw}])
    assert device.get("ip") == address


def test_a_job_on_a_group_runs_on_the_first_one() -> None:
    case = Case("x", {}, None, True, None, (), {}, where="x.py:1")
    lab = Lab(None, "group", (), ({"id": 3, "name": "g3"}, {"id": 4, "name": "g4"}), {"a": 1})
    found = with_lab(case, lab, None)
    assert found.context is not None
    assert (found.context.entity_id, len(found.context.device_groups)) == (3, 2)


@pytest.mark.parametrize("yields", [list, tuple, iter, lambda items: dict(enumerate(items)).values()])
def test_the_function_of_the_parameters_gets_the_list_of_devices_that_the_context_has(
    yields: Callable[[list[Any]], Any],
) -> None:
    lab = Lab("my_lab", "device", (), (), lambda devices: {"names": [found["hostname"] for found in devices]})
    case = Case("x", {}, None, True, None, (), {}, where="x.py:1")
    found = with_lab(case, lab, yields([{"hostname": "r1"}, {"hostname": "r2"}]))
    assert found.context is not None
    assert [device.hostname for device in found.context.devices] == ["r1", "r2"]
    assert found.params == {"names": ["r1", "r2"]}


@pytest.mark.parametrize("device", [{"id": 4}, DeviceEntity(id=4), FromDto()])
def test_the_function_of_the_parameters_gets_a_single_device_as_it_was_yielded(device: Any) -> None:
    lab = Lab("my_lab", "device", (), (), lambda yielded: {"is_it": yielded is device})
    case = Case("x", {}, None, True, None, (), {}, where="x.py:1")
    found = with_lab(case, lab, device)
    assert found.context is not None
    assert (found.context.entity_id, found.params) == (4, {"is_it": True})


@pytest.fixture
def three_switches() -> Iterator[list[LabDevice]]:
    with EmulatedLab("sw1", "sw2", "sw3") as devices:
        yield devices


def test_a_lab_of_any_size_is_a_fixture_of_three_lines(three_switches: list[LabDevice]) -> None:
    assert [device.hostname for device in three_switches] == ["sw1", "sw2", "sw3"]
    assert len({device.port for device in three_switches}) == 3
    assert "password" not in repr(three_switches)


def test_a_context_takes_the_devices_of_a_lab(simple_iol: list[LabDevice]) -> None:
    context = create_workflow_context("device", 2, devices=simple_iol)
    assert [(device.id, device.hostname) for device in context.devices] == [(1, "r1"), (2, "r2")]
    assert context.device is not None
    assert context.device.connection_options == f'{{"port": {simple_iol[1].port}}}'
    assert context.device.password == simple_iol[1].password
    (only,) = create_workflow_context("device", devices=simple_iol[:1]).devices
    assert only.hostname == "r1"
    described = create_workflow_context(devices=[{"name": "leaf", "raw": {"ansible_host": "192.0.2.9"}}])
    assert (described.devices[0].hostname, described.devices[0].ip) == ("leaf", "192.0.2.9")


def test_a_case_runs_on_the_fixture_as_the_architecture_writes_it(author_dir: pytest.Pytester) -> None:
    case = """@fb_test_case_with_lab("sees", Params(), remote_lab_fixture="simple_iol",
                       expected_result_data={"text": "r1 1 2"})"""
    collect(author_dir, "with_simple_iol", case)
    author_dir.makeconftest("from sdk.testing.plugin import simple_iol\n")
    author_dir.runpytest("-W", "default").assert_outcomes(passed=1)
