"""The blocks that come with the worker, each run as the worker runs it."""

import asyncio
import os

import pytest

from blocks.echo import Echo, EchoParams
from blocks.host_facts import HostFacts, HostFactsParams
from blocks.ping import Ping, PingParams
from blocks.python_eval import PythonEval, PythonEvalParams
from blocks.show_command import ShowCommand, ShowCommandParams
from sdk import DeviceEntity
from sdk.testing import BlockRunner, create_workflow_context
from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS

PASSWORD = "never-to-be-seen-1"


@pytest.fixture(scope="module")
def source() -> tuple[str, ...]:
    """All of the library, so that it is imported once for the tests of this module."""
    return ("blocks", "blocks.python_eval")


def test_echo_gives_back_its_text(block_runner: BlockRunner, source: tuple[str, ...]) -> None:
    outcome = block_runner.run(Echo, EchoParams(text="héllo", upper=True), source=source)
    assert (outcome.success, outcome.data) == (True, {"text": "HÉLLO"})
    assert outcome.leftover_processes == 0


def test_host_facts_are_those_of_this_machine(block_runner: BlockRunner, source: tuple[str, ...]) -> None:
    outcome = block_runner.run(HostFacts, HostFactsParams(), source=source)
    assert outcome.success, outcome.report()
    assert outcome.data is not None
    assert outcome.data["cpu_count"] == os.cpu_count()
    assert outcome.data["boot_time"].startswith("20")  # a datetime, as JSON has it


def test_python_eval_runs_a_program_and_leaves_nothing(
    block_runner: BlockRunner, source: tuple[str, ...]
) -> None:
    params = PythonEvalParams(source="import os, sys\nprint('to stdout')\n[os.getppid(), sys.flags.isolated]")
    outcome = block_runner.run(PythonEval, params, source=source)
    assert outcome.success, outcome.report()
    assert outcome.data is not None
    assert (outcome.data["stdout"], outcome.data["value"][1]) == ("to stdout\n", 1)
    assert outcome.leftover_processes == 0


def test_python_eval_is_killed_together_with_what_it_started(
    block_runner: BlockRunner, source: tuple[str, ...]
) -> None:
    program = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    params = PythonEvalParams(source=program, timeout_seconds=500)
    outcome = block_runner.run(PythonEval, params, source=source, max_seconds=1.5, grace_seconds=60)
    assert (outcome.cause, outcome.killed) == ("time_limit", False), "cancellation ends it, within its grace"


@pytest.mark.needs("ping")
def test_ping_reaches_this_machine(block_runner: BlockRunner, source: tuple[str, ...]) -> None:
    params = PingParams(host="127.0.0.1", count=2, interval_seconds=0.2)
    outcome = block_runner.run(Ping, params, source=source)
    assert outcome.success, outcome.report()
    assert outcome.data is not None
    assert outcome.data["received"] == 2


async def test_show_command_talks_to_a_device_on_real_ssh(
    block_runner: BlockRunner, source: tuple[str, ...]
) -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        params = ShowCommandParams(commands=["show version", "show run | include hostname"], port=device.port)
        outcome = await block_runner.run_async(ShowCommand, params, device.as_context(), source=source)
    assert outcome.success, outcome.report()
    assert outcome.data is not None
    assert [answer["output"] for answer in outcome.data["outputs"]][1] == "hostname r1"
    assert PASSWORD not in repr(outcome)


async def test_show_command_without_a_device_that_answers_is_ended_at_its_limit_with_its_thread(
    block_runner: BlockRunner, source: tuple[str, ...]
) -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(command_hang="show clock")) as device:
        params = ShowCommandParams(commands=["show clock"], port=device.port)
        context = device.as_context()
        running = block_runner.run_async(
            ShowCommand, params, context, source=source, max_seconds=2, grace_seconds=60
        )
        outcome = await asyncio.wait_for(running, PATIENCE_SECONDS)
    assert (outcome.cause, outcome.killed) == ("time_limit", False), "cancellation ends it, within its grace"
    assert PASSWORD not in repr(outcome)


def test_show_command_names_what_the_inventory_lacks(
    block_runner: BlockRunner, source: tuple[str, ...]
) -> None:
    context = create_workflow_context("device", devices=[DeviceEntity(id=3, ip="127.0.0.1")])
    outcome = block_runner.run(
        ShowCommand, ShowCommandParams(commands=["show clock"]), context, source=source
    )
    assert (outcome.cause, outcome.retryable) == ("block_failed", False)
    assert "Device 3 (127.0.0.1) has no username, or neither a password nor a key" in outcome.message
