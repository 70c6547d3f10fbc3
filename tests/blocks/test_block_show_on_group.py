"""`neops_base/show_on_group`: one answer for each device of the group, and partial failure told."""

import json
import socket
from typing import Any

import pytest
from blocks_support import run_block

from blocks.devices.show_on_group import (
    DeviceAnswer,
    ShowOnGroup,
    ShowOnGroupParams,
    devices_of_group,
    result_of,
)
from sdk import FunctionBlockResult, WorkflowContext
from sdk.testing.devices import EmulatedIos, Faults

PASSWORD = "never-to-be-seen-1"


def entity(device_id: int, port: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": device_id,
        "hostname": f"r{device_id}",
        "ip": "127.0.0.1",
        "username": "admin",
        "password": PASSWORD,
        "platform": {"id": 1, "shortName": "ios"},
        "connectionOptions": json.dumps({"port": port}),
    } | changes


def context_of(*devices: dict[str, Any], ids: list[int] | None) -> WorkflowContext:
    group = {"id": 5, "name": "core", "devices": None if ids is None else [{"id": each} for each in ids]}
    return WorkflowContext.from_job({"devices": list(devices), "deviceGroups": [group]}, "group", 5)


async def show(context: WorkflowContext, **settings: Any) -> FunctionBlockResult[Any]:
    params = ShowOnGroupParams(**({"commands": ["show clock"]} | settings))
    return await run_block(ShowOnGroup(), params, context)


async def test_a_device_whose_command_line_is_a_shell_fails_alone_and_gets_nothing_sent() -> None:
    async with EmulatedIos("admin", PASSWORD) as first, EmulatedIos("admin", PASSWORD) as second:
        linux = entity(2, second.port, platform={"id": 2, "shortName": "linux"})
        result = await show(context_of(entity(1, first.port), linux, ids=[1, 2]), commands=["sh clock"])
        assert list(second.typed) == []
    assert [(each.name, each.cause) for each in result.data.devices] == [
        ("r1", None),
        ("r2", "not_supported"),
    ]
    assert [output.command for output in result.data.devices[0].outputs] == ["sh clock"]


async def test_every_device_has_an_answer_and_those_that_failed_are_named() -> None:
    with socket.socket() as closed:  # bound and not listening: the port answers with a refusal
        closed.bind(("127.0.0.1", 0))
        async with (
            EmulatedIos("admin", PASSWORD, "r1") as first,
            EmulatedIos("admin", PASSWORD, "r2", faults=Faults(command_hang="show clock")) as second,
        ):
            context = context_of(
                entity(1, first.port), entity(2, second.port), entity(3, closed.getsockname()[1]), entity(9, 1),
                ids=[3, 2, 1, 4],
            )  # fmt: skip
            commands = ["show version", "show clock"]
            for seconds in (1.5, 30):  # a slow machine may need more for a device that answers
                result = await show(context, commands=commands, read_timeout_seconds=seconds)
                if result.data.devices[1].outputs and result.data.devices[2].succeeded:
                    break
    answers = result.data.devices
    assert [(each.name, each.succeeded, each.cause) for each in answers] == [
        ("r3", False, "unreachable"),
        ("r2", False, "command_timeout"),
        ("r1", True, None),
        ("device 4", False, "not_in_context"),
    ]
    assert [len(each.outputs) for each in answers] == [0, 1, 2, 0], "what came before the failure is kept"
    assert (result.success, result.retryable) == (False, True)
    assert result.message == (
        "1 of 4 devices answered; failed: r3 (unreachable), r2 (command_timeout), device 4 (not_in_context)"
    )
    assert PASSWORD not in repr(result)


async def test_a_device_that_refuses_a_command_has_failed() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        result = await show(context_of(entity(1, device.port), ids=[1]), commands=["show vrsion"])
    (answer,) = result.data.devices
    assert (answer.cause, answer.outputs[0].rejected) == ("refused", True)
    assert (result.success, result.retryable) == (False, False)


def answer(name: str, cause: str | None = None, *, retryable: bool = False) -> DeviceAnswer:
    return DeviceAnswer(
        device_id=1, name=name, succeeded=cause is None, cause=cause, retryable=retryable, outputs=[]
    )


@pytest.mark.parametrize(
    ("answers", "wanted", "success"),
    [
        ([answer("r1")], "all", True),
        ([answer("r1"), answer("r2", "unreachable")], "all", False),
        ([answer("r1"), answer("r2", "unreachable")], "any", True),
        ([answer("r1", "unreachable")], "any", False),
        ([], "any", False),
    ],
)
def test_what_counts_as_a_success_is_the_workflows_to_say(
    answers: list[DeviceAnswer], wanted: Any, success: bool
) -> None:
    assert result_of(answers, wanted).success == success


def test_a_failure_is_worth_a_retry_if_one_device_is() -> None:
    assert not result_of([answer("r1", "wrong_password")], "all").retryable
    both = [answer("r1", "wrong_password"), answer("r2", "unreachable", retryable=True)]
    assert result_of(both, "all").retryable


def test_a_thousand_failures_make_no_endless_message() -> None:
    result = result_of([answer(f"r{number}", "unreachable") for number in range(1000)], "all")
    assert result.message.endswith(" and 980 more")
    assert len(result.message) < 600


async def test_a_device_that_the_group_names_twice_is_asked_once() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        result = await show(context_of(entity(1, device.port), ids=[1, 4, 1, 4]))
    assert [(each.name, len(each.outputs)) for each in result.data.devices] == [("r1", 1), ("device 4", 0)]


def test_a_group_that_does_not_say_its_devices_has_those_of_the_context() -> None:
    context = context_of(entity(1, 22), entity(2, 22), ids=None)
    devices, absent = devices_of_group(context)
    assert ([each.id for each in devices], absent) == ([1, 2], [])
