"""neops_base/show_command: netmiko against an emulated device on real SSH."""

import asyncio
import logging
import socket
import subprocess
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from blocks_support import run_block
from pydantic import ValidationError

from blocks.show_command import ShowCommand, ShowCommandParams
from blocks.show_request import as_sent, reading_command
from sdk import FunctionBlockResult, WorkflowContext
from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS, until

PASSWORD = "never-to-be-seen-1"


async def show(
    *commands: str,
    device: EmulatedIos,
    change: dict[str, Any] | None = None,
    port: int | None = None,
    **settings: Any,
) -> FunctionBlockResult[Any]:
    """Run the block on the device; `change` goes over what the inventory knows of it."""
    context = device.as_context()
    context["devices"][0].update(change or {})
    params = ShowCommandParams(commands=list(commands), port=port or device.port, **settings)
    return await run_block(ShowCommand(), params, WorkflowContext.from_job(context, "device", 1))


def ssh_threads() -> list[threading.Thread]:
    return [
        thread
        for thread in threading.enumerate()
        if type(thread).__module__.startswith(("paramiko", "sdk.connection"))
    ]


@pytest.fixture(autouse=True)
async def no_ssh_thread_left() -> AsyncIterator[None]:
    """Whatever a test does to a session: paramiko's thread ends, and soon."""
    yield
    await until(lambda: ssh_threads() == [])


async def test_outputs_come_back_in_the_order_of_the_commands() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        result = await show("show version", "show run | include hostname", device=device)
    assert result.success, result.message
    assert [answer.command for answer in result.data.outputs] == [
        "show version",
        "show run | include hostname",
    ]
    assert "r1 uptime is" in result.data.outputs[0].output
    assert result.data.outputs[1].output == "hostname r1"
    assert (result.data.device_type, result.data.outputs[0].parsed) == ("cisco_ios", None)


async def test_textfsm_adds_rows_beside_the_text() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        result = await show("show version", "sh ip int br", "show clock", device=device, use_textfsm=True)
    version, interfaces, _clock = result.data.outputs
    assert (version.parsed[0]["hostname"], version.parsed[0]["serial"]) == ("r1", ["EMU0000LAB1"])
    assert [row["interface"] for row in interfaces.parsed][:2] == ["GigabitEthernet0/0", "GigabitEthernet0/1"]
    assert interfaces.output.startswith("Interface ")


async def test_no_template_leaves_the_text_alone() -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        result = await show("show running-config", device=device, use_textfsm=True)
    assert (result.success, result.data.outputs[0].parsed) == (True, None)


async def test_a_command_that_the_device_rejects_is_a_failure_with_all_outputs() -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        result = await show("show vrsion", "show clock", device=device, use_textfsm=True)
    assert (result.success, result.retryable) == (False, False)
    assert "did not understand 1 of 2 commands: 'show vrsion'" in result.message
    assert [answer.rejected for answer in result.data.outputs] == [True, False]


async def test_device_type_overrides_the_platform() -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        result = await show("show clock", device=device, change={"platform": None}, device_type="cisco_xe")
    assert result.success, result.message
    assert result.data.device_type == "cisco_xe"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "refused the username or the password"),
        ({"password": None}, "has no username, or neither a password nor a key"),
        ({"username": ""}, "has no username, or neither a password nor a key"),
        ({"ip": None, "hostname": None}, "has neither an address nor a host name"),
        ({"platform": None}, "has no platform"),
        (
            {"platform": {"id": 1, "shortName": "abacus"}},
            "the platform 'abacus', for which there is no plugin",
        ),
    ],
)
async def test_what_the_inventory_has_wrong_is_named_and_not_worth_a_retry(
    change: dict[str, Any], words: str
) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        result = await show("show clock", device=device, change=change)
    assert (result.success, result.retryable) == (False, False)
    assert words in result.message


async def test_a_job_without_a_device_is_refused() -> None:
    params = ShowCommandParams(commands=["show clock"])
    result = await run_block(ShowCommand(), params, WorkflowContext({}, "global"))
    assert (result.success, result.message) == (
        False,
        "The job's entity is no device. Run this block on devices.",
    )


async def test_a_closed_port_is_unreachable_and_worth_a_retry() -> None:
    with socket.socket() as reserved:  # bound and not listening: the port answers with a refusal
        reserved.bind(("127.0.0.1", 0))
        device = EmulatedIos("admin", PASSWORD)
        result = await show("show clock", device=device, port=reserved.getsockname()[1])
    assert (result.success, result.retryable) == (False, True)
    assert "can't be reached: Connection refused" in result.message


async def test_an_unknown_name_is_unreachable() -> None:
    device = EmulatedIos("admin", PASSWORD)
    result = await show("show clock", device=device, change={"ip": "no-such-host.invalid"}, port=22)
    assert not result.success
    assert "can't be reached: its name is not known" in result.message


async def test_no_common_algorithm_is_named_and_not_worth_a_retry() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(no_common_kex=True)) as device:
        result = await show("show clock", device=device)
    assert (result.success, result.retryable) == (False, False)
    assert "have no SSH algorithm in common" in result.message


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no_banner", "sent no SSH banner within {:g} s"),
        ("auth_hang", "did not answer the login within {:g} s"),
        ("no_prompt", "showed no prompt within {:g} s"),
    ],
)
async def test_a_login_that_hangs_ends_at_its_limit_and_says_where_it_hung(fault: str, words: str) -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(**{fault: True})) as device:
        for seconds in (0.6, 30):  # a slow machine may need more to come as far as the fault
            async with asyncio.timeout(PATIENCE_SECONDS):
                result = await show("show clock", device=device, login_timeout_seconds=seconds)
            assert (result.success, result.retryable) == (False, True)
            if words.format(seconds) in result.message:
                break
    assert words.format(seconds) in result.message


@pytest.mark.parametrize("fault", ["command_hang", "endless_output"])
async def test_a_command_that_hangs_ends_at_its_limit_and_keeps_the_earlier_outputs(fault: str) -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(**{fault: "show clock"})) as device:
        commands = ("show ip int brief", "show clock", "show version")
        for seconds in (1, 30):  # a slow machine may need more for the first command
            async with asyncio.timeout(PATIENCE_SECONDS):
                result = await show(*commands, device=device, read_timeout_seconds=seconds)
            if result.data.outputs:
                break
    assert (result.success, result.retryable) == (False, True)
    assert f"did not finish the command 'show clock' within {seconds} s" in result.message
    assert [answer.command for answer in result.data.outputs] == ["show ip int brief"]


async def test_a_connection_that_is_cut_is_noticed_before_the_limit() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(drop_mid_command="show version")) as device:
        async with asyncio.timeout(PATIENCE_SECONDS):
            result = await show("show version", device=device, read_timeout_seconds=2 * PATIENCE_SECONDS)
    assert (result.success, result.retryable) == (False, True)
    assert "ended the connection during the command 'show version'" in result.message


@pytest.mark.parametrize(
    "faults",
    [
        Faults(no_banner=True),
        Faults(auth_hang=True),
        Faults(no_prompt=True),
        Faults(command_hang="show clock"),
    ],
    ids=["no_banner", "auth_hang", "no_prompt", "command_hang"],
)
@pytest.mark.parametrize("after_seconds", [0, 0.1, 0.5])
async def test_cancellation_at_any_moment_ends_netmiko_and_its_thread(
    faults: Faults, after_seconds: float
) -> None:
    async with EmulatedIos("admin", PASSWORD, faults=faults) as device:
        # Its limits come much later: what ends here, ends by the cancellation.
        limits = {"login_timeout_seconds": 2 * PATIENCE_SECONDS, "read_timeout_seconds": 2 * PATIENCE_SECONDS}
        job = asyncio.create_task(show("show clock", device=device, **limits))
        await until(lambda: ssh_threads() != [])
        # Nothing is waited for: these are moments before and within the step that hangs, and all must do.
        await asyncio.sleep(after_seconds)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(job, PATIENCE_SECONDS)


async def test_the_event_loop_stays_free_during_a_session() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(command_hang="show clock")) as device:
        # A session that held up the loop would be over by its limit before the loop had a turn.
        job = asyncio.create_task(show("show clock", device=device, read_timeout_seconds=PATIENCE_SECONDS))
        await until(lambda: "show clock" in device.typed, "the device has the command and does not answer")
        for _ in range(100):
            await asyncio.sleep(0)
            assert not job.done()
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(job, PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({}, Faults()),
        ({}, Faults(no_common_kex=True)),
        ({}, Faults(drop_mid_command="show clock")),
        ({"username": "someone"}, Faults()),
    ],
    ids=["healthy", "no_common_kex", "drop_mid_command", "wrong_user"],
)
async def test_the_password_is_in_no_message_and_no_log(
    caplog: pytest.LogCaptureFixture, change: dict[str, Any], faults: Faults
) -> None:
    caplog.set_level(logging.DEBUG)
    async with EmulatedIos("admin", PASSWORD, faults=faults) as device:
        result = await show("show clock", device=device, change=change)
    assert caplog.records
    assert PASSWORD not in caplog.text + result.message + repr(result)


async def test_no_socket_or_thread_is_left_after_a_session(recwarn: pytest.WarningsRecorder) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        await show("show clock", device=device)
        await until(lambda: ssh_threads() == [])
    assert [warning for warning in recwarn if issubclass(warning.category, ResourceWarning)] == []


@pytest.mark.parametrize(
    "command",
    [
        *("show version", "sh ver", "display version", "get system status", " show clock "),
        *("show run | i ^interface|^ ip", "show run | sec router", "show int | inc (up|down)|err"),
        *('show log | match "a|b" | except c | last 20 | no-more', "show log | find ge-0/0/1"),
        *("get system status | grep -i version", "show ip bgp regexp (_1_|_2_)", "show vlan | json"),
        *("show int status | include Gi|Te", "show ip route | i O|S | count", "show int | inc Te|Fi|Gi"),
    ],
)
def test_reading_commands_are_accepted(command: str) -> None:
    assert ShowCommandParams(commands=[command]).commands == [command.strip()]


@pytest.mark.parametrize(
    "command",
    [
        "configure terminal",
        "reload",
        "",
        "s",
        "show clock\nreload",
        "show clock\rreload",
        "show run | redirect flash:x",
        "show run | red flash:x",
        "show run | include a | tee flash:x",
        "show run | include a|tee flash:x",
        "show run | include a|te  flash:x",
        "show run | include a| tee",
        "show run | grep a|tee",
        "show configuration | save x",
        "show clock ; reload",
        "show run > x",
        "show run |",
        "show x & id -un",
        "show x && id",
        "get $(touch /tmp/proof)x",
        "show ${x}",
        "show `id`",
        "show <(id)",
        "show () (id)",
        "show x | reboot",
        "show x || reboot",
        "show version | sh",
        "show version|sh",
        "show x | awk 'BEGIN { system(\"id\") }'",
        "show x | find . -delete",
        "show x | find $X-delete",
        "show run | file disk0:x",
        "show x | include a |reboot",
        "show x | include a| reboot",
        "show x | grep a|reboot",
        'show x | include "a\\" | reboot "',
    ],
)
def test_a_command_that_could_change_something_is_refused(command: str) -> None:
    with pytest.raises(ValidationError):
        ShowCommandParams(commands=[command])


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        ("sh ver", "show ver"),
        ("disp version", "display version"),
        ("show  clock", "show  clock"),
        ("show run | i ^interface|^ ip", "show run | i (^interface|^ ip)"),
        ("show interfaces status | include Gi|Te", "show interfaces status | include (Gi|Te)"),
        ("show run | section include a|b", "show run | section include (a|b)"),
        ("show run | i a|b | count", "show run | i (a|b) | count"),
        ("show int | inc (up|down)", "show int | inc (up|down)"),
        ('show int | inc "up|down"', 'show int | inc "up|down"'),
        ("show int | inc a\\(|b", "show int | inc (a\\(|b)"),
    ],
)
def test_a_line_is_sent_so_that_no_shell_runs_a_part_of_it(command: str, sent: str) -> None:
    assert as_sent(reading_command(command)) == sent


@pytest.mark.parametrize("command", ["sh ./script", "show x | include a|./script"])
def test_a_shell_that_gets_a_line_runs_nothing_of_it(command: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\ntouch proof\n")
    script.chmod(0o755)
    line = as_sent(reading_command(command))
    subprocess.run(["bash", "-c", line], cwd=tmp_path, check=False, capture_output=True)
    assert list(tmp_path.iterdir()) == [script]


@pytest.mark.parametrize("platform", ["linux", "linux_ssh", "ovs_linux"])
async def test_a_bare_shell_is_refused_before_anything_is_sent(platform: str) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        result = await show("show clock", device=device, device_type=platform)
        assert (result.success, result.retryable, list(device.typed)) == (False, False, [])
    assert f"is of the platform {platform}: its command line is a shell" in result.message


async def test_the_result_has_the_command_as_it_was_asked_for() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        result = await show("sh run | i a|b", device=device)
        assert "show run | i (a|b)" in device.typed
    assert [output.command for output in result.data.outputs] == ["sh run | i a|b"]


@pytest.mark.parametrize("commands", [[], ["show clock"] * 21])
def test_at_least_one_and_at_most_twenty_commands(commands: list[str]) -> None:
    with pytest.raises(ValidationError):
        ShowCommandParams(commands=commands)
