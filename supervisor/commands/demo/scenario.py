"""The jobs of the demo, and the expected end of each."""

from typing import Final

from supervisor.commands.demo.expectation import DemoJob, Result
from supervisor.verdict import Cause

MAX_JOB_SECONDS: Final = 4.0
GRACE_SECONDS: Final = 1.0
SLOTS: Final = 4
BLOCKS: Final = ("blocks", "blocks.python_eval", "blocks.testing")
"""What the worker loads. It loads the last two only if they are named."""

SHOW_COMMANDS: Final = ("show version", "show ip interface brief", "show running-config")
DEVICE_ID: Final = 1
DESCENDANTS: Final = ("plain", "setsid", "daemon")
"""The kinds of processes that `ignore_sigterm_tree` starts. The kind is the last word of the command line."""


def _wrong_echo(result: Result) -> str:
    return "" if result.data.get("text") == "HELLO" else "it did not give the text back"


def _wrong_facts(result: Result) -> str:
    return "" if result.data.get("cpu_count") else "it has no facts"


def _wrong_value(result: Result) -> str:
    return "" if result.data.get("value") == 45 else "the value is wrong"


def _wrong_answers(result: Result) -> str:
    answers = result.data.get("outputs", [])
    answered = [item["command"] for item in answers if item["output"] and not item["rejected"]]
    return "" if answered == list(SHOW_COMMANDS) else f"only {len(answered)} commands were answered"


def _not_three_killed(result: Result) -> str:
    return (
        "" if "3 process(es) it left behind were killed" in result.message else "it left no three processes"
    )


def _no_ping_here(result: Result) -> str:
    # Without data nothing was measured: ping is missing, or may not open its socket in this container.
    return "" if result.success or result.data else result.message


def jobs(marker: str, device_port: int | None) -> list[DemoJob]:
    """Return the jobs in the order in which they are submitted and shown.

    `marker` goes onto the command line of every descendant, `device_port` is the emulated device's port.
    """
    return [*_ordinary(device_port or 0), *_misbehaving(marker)]


def _ordinary(device_port: int) -> list[DemoJob]:
    return [
        DemoJob(
            name="echo",
            block="neops_base/echo:1.0.0",
            what="gives a text back",
            cause=Cause.COMPLETED,
            parameters={"text": "hello", "upper": True},
            complaint=_wrong_echo,
        ),
        DemoJob(
            name="host_facts",
            block="neops_base/host_facts:1.0.0",
            what="reads this machine's facts with psutil",
            cause=Cause.COMPLETED,
            complaint=_wrong_facts,
        ),
        DemoJob(
            name="python_eval",
            block="neops_base/python_eval:1.0.0",
            what="runs Python source in a further process",
            cause=Cause.COMPLETED,
            parameters={"source": "sum(range(10))"},
            complaint=_wrong_value,
        ),
        DemoJob(
            name="ping",
            block="neops_base/ping:1.0.0",
            what="runs the system's ping on 127.0.0.1",
            cause=Cause.COMPLETED,
            parameters={"host": "127.0.0.1", "count": 3},
            excuse=_no_ping_here,
        ),
        DemoJob(
            name="show_command",
            block="neops_base/show_command:1.0.0",
            what=f"{len(SHOW_COMMANDS)} commands in one netmiko session over SSH",
            cause=Cause.COMPLETED,
            parameters={"commands": list(SHOW_COMMANDS), "port": device_port},
            on_device=True,
            complaint=_wrong_answers,
        ),
    ]


def _misbehaving(marker: str) -> list[DemoJob]:
    return [
        DemoJob(
            name="hang_await",
            block="neops_testing/hang_await:1.0.0",
            what="awaits what never happens",
            cause=Cause.TIME_LIMIT,
            stops_in="hangs.py",
        ),
        DemoJob(
            name="hang_sleep",
            block="neops_testing/hang_sleep:1.0.0",
            what="blocks its event loop in time.sleep",
            cause=Cause.TIME_LIMIT,
            stops_in="hangs.py",
        ),
        DemoJob(
            name="gil_hog",
            block="neops_testing/gil_hog:1.0.0",
            what="holds the GIL in C code, computing 7**10**9",
            cause=Cause.TIME_LIMIT,
            parameters={"mode": "power"},
            stops_in="hangs.py",
        ),
        DemoJob(
            name="ignore_sigterm_tree",
            block="neops_testing/ignore_sigterm_tree:1.0.0",
            what="ignores SIGTERM, leaves plain, setsid and double-forked descendants",
            cause=Cause.TIME_LIMIT,
            parameters={"marker": marker},
            stops_in="descendants.py",
            complaint=_not_three_killed,
        ),
        DemoJob(
            name="segfault",
            block="neops_testing/segfault:1.0.0",
            what="reads address 0",
            cause=Cause.CRASHED,
            stops_in="ends.py",
        ),
        DemoJob(
            name="exit_code",
            block="neops_testing/exit_code:1.0.0",
            what="calls os._exit(7)",
            cause=Cause.EXITED,
            parameters={"code": 7},
            complaint=lambda result: "" if "exit code 7" in result.message else "its exit code is not told",
        ),
    ]
