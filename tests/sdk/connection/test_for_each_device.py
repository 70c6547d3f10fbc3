"""`for_each_device`: one outcome for each device, so many at a time, and nobody harms another."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from sdk import DeviceEntity
from sdk.concurrency import run_in_thread
from sdk.connection.causes import Cause
from sdk.connection.errors import DeviceError, fail
from sdk.connection.many import for_each_device
from sdk.connection.outcomes import DeviceOutcome, name_of
from tests.patience import PATIENCE_SECONDS
from tests.simulated_time import elapsed, simulate

LOGGER = "sdk.connection.many"


def devices(count: int) -> list[DeviceEntity]:
    return [DeviceEntity(id=number, hostname=f"r{number}") for number in range(1, count + 1)]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == LOGGER]


async def number_of(device: DeviceEntity) -> int:
    await asyncio.sleep(0)
    return device.id


async def fail_on_even(device: DeviceEntity) -> int:
    if device.id % 2 == 0:
        raise refusal(device)
    return device.id


def refusal(device: DeviceEntity) -> DeviceError:
    return fail(Cause.WRONG_PASSWORD, device.hostname or "", what="password")


async def test_outcomes_are_in_the_order_of_the_devices_whoever_ends_first() -> None:
    async def slowest_first(device: DeviceEntity) -> int:
        await asyncio.sleep(0.05 / device.id)
        return device.id

    outcomes = await for_each_device(devices(5), slowest_first, limit=5, timeout=10)
    assert [(each.name, each.value, each.succeeded) for each in outcomes] == [
        (f"r{number}", number, True) for number in range(1, 6)
    ]
    assert [each.result() for each in outcomes] == [1, 2, 3, 4, 5]
    assert outcomes[0].seconds >= 0.05


async def test_no_more_than_the_limit_run_at_once() -> None:
    running = most = 0

    async def count(device: DeviceEntity) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1

    await for_each_device(devices(20), count, limit=3)
    assert (most, running) == (3, 0)


async def test_a_device_that_fails_harms_no_other_and_its_outcome_says_why() -> None:
    outcomes = await for_each_device(devices(4), fail_on_even, limit=2)
    assert [each.value for each in outcomes] == [1, None, 3, None]
    failed = outcomes[1]
    assert (failed.succeeded, failed.cause, failed.retryable) == (False, str(failed.error.cause), False)
    assert failed.message == str(failed.error)
    with pytest.raises(DeviceError):
        failed.result()


async def test_a_mistake_in_the_function_is_an_outcome_whose_text_stays_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(device: DeviceEntity) -> int:
        return 1 // (device.id - 2)

    outcomes = await for_each_device(devices(3), broken)
    assert [each.cause for each in outcomes] == [None, "ZeroDivisionError", None]
    assert outcomes[1].message == (
        "The function for r2 raised ZeroDivisionError. The traceback is in the job's log."
    )
    assert not outcomes[1].retryable
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "return 1 // (device.id - 2)" in told.getMessage()


def test_each_device_has_its_own_time_from_its_turn_on() -> None:
    async def second_hangs(device: DeviceEntity) -> int:
        await (asyncio.Event().wait() if device.id == 2 else asyncio.sleep(0.15))
        return device.id

    async def one_after_another() -> tuple[list[DeviceOutcome[DeviceEntity, int]], float]:
        return await for_each_device(devices(4), second_hangs, limit=1, timeout=0.3), elapsed()

    outcomes, seconds = simulate(one_after_another())
    # One after another: with one time for all of them, the last would have had none left.
    assert [each.value for each in outcomes] == [1, None, 3, 4]
    assert (outcomes[1].cause, outcomes[1].retryable) == ("device_timeout", True)
    assert "r2" in outcomes[1].message
    assert "0.3 s" in outcomes[1].message
    assert seconds == pytest.approx(3 * 0.15 + 0.3)


async def test_a_time_out_of_the_functions_own_is_not_taken_for_the_devices() -> None:
    async def impatient(device: DeviceEntity) -> None:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()

    (outcome,) = await for_each_device(devices(1), impatient, timeout=60)
    assert outcome.cause == "TimeoutError"


async def test_a_function_that_blocks_in_a_thread_does_not_hold_its_limit_up() -> None:
    told = threading.Event()

    @run_in_thread
    def block(device: DeviceEntity) -> None:
        assert told.wait(2 * PATIENCE_SECONDS)

    async with asyncio.timeout(PATIENCE_SECONDS):
        (outcome,) = await for_each_device(devices(1), block, timeout=0.2)
    told.set()
    assert outcome.cause == "device_timeout"


async def test_a_cancellation_cancels_those_that_run_and_begins_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun: list[int] = []
    cleaned: list[int] = []

    async def hang(device: DeviceEntity) -> None:
        begun.append(device.id)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(device.id)

    caplog.set_level(logging.INFO)
    work = asyncio.create_task(for_each_device(devices(10), hang, limit=3))
    while len(begun) < 3:
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (begun, sorted(cleaned)) == ([1, 2, 3], [1, 2, 3])
    assert len(asyncio.all_tasks()) == 1
    assert lines(caplog)[-1].endswith("0 of 10 devices were done")


async def test_something_cancelled_within_the_function_is_a_failure_of_this_device_alone() -> None:
    async def awaits_something_cancelled(device: DeviceEntity) -> int:
        if device.id == 1:
            inner = asyncio.ensure_future(asyncio.sleep(60))
            inner.cancel()
            await inner
        return device.id

    outcomes = await for_each_device(devices(2), awaits_something_cancelled, limit=2)
    assert [each.succeeded for each in outcomes] == [False, True]


async def test_the_log_tells_the_start_each_tenth_the_failures_by_name_and_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def one_fails(device: DeviceEntity) -> int:
        if device.id == 13:
            raise refusal(device)
        return device.id

    caplog.set_level(logging.INFO)
    await for_each_device(devices(50), one_fails, limit=1, timeout=60)
    told = lines(caplog)
    assert told[0] == "Start with 50 devices, 1 at a time, at most 60 s for each"
    assert sum(" of 50 devices done after " in line for line in told) == 9
    (failure,) = [line for line in told if line.startswith("r13 failed: ")]
    assert told.index(failure) == 3  # after the start and two tenths
    assert told[4].startswith("15 of 50 devices done after ")
    assert told[4].endswith(", 1 failed")
    assert told[-1].startswith("Done with 50 devices after ")
    assert told[-1].endswith("49 succeeded, 1 failed: r13 (wrong_password)")


async def test_a_thousand_failures_are_one_readable_last_line(caplog: pytest.LogCaptureFixture) -> None:
    async def refuse(device: DeviceEntity) -> None:
        raise refusal(device)

    await for_each_device(devices(1000), refuse)
    last = lines(caplog)[-1]
    assert "r1, r2, " in last
    assert "r20 (wrong_password); and 980 more (980 wrong_password)" in last
    assert len(last) < 400


async def test_no_devices_are_no_outcomes() -> None:
    assert await for_each_device([], number_of) == []


async def test_the_same_device_twice_has_two_outcomes() -> None:
    (device,) = devices(1)
    assert [each.value for each in await for_each_device([device, device], number_of)] == [1, 1]


async def test_a_function_that_is_not_async_is_told_and_nothing_is_left(
    recwarn: pytest.WarningsRecorder,
) -> None:
    with pytest.raises(TypeError, match="returned str where it must be async"):
        await for_each_device(devices(3), lambda device: device.hostname, limit=1)  # type: ignore[arg-type, return-value]  # the mistake
    assert [str(each.message) for each in recwarn if issubclass(each.category, RuntimeWarning)] == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [({"limit": 0}, ValueError), ({"limit": True}, TypeError), ({"limit": 1.5}, TypeError),
     ({"timeout": 0}, ValueError), ({"timeout": float("nan")}, ValueError), ({"timeout": "1"}, TypeError)],
)  # fmt: skip
async def test_a_limit_that_leaves_nothing_to_do_is_refused_before_anything_runs(
    wrong: dict[str, Any], error: type[Exception]
) -> None:
    begun: list[DeviceEntity] = []

    async def begin(device: DeviceEntity) -> None:
        begun.append(device)

    with pytest.raises(error, match=r"for_each_device: (limit|timeout) is"):
        await for_each_device(devices(1), begin, **wrong)
    assert begun == []


@pytest.mark.parametrize(
    ("device", "name"),
    [
        (DeviceEntity(id=7, hostname="r7", ip="192.0.2.7"), "r7"),
        (DeviceEntity(id=7, ip="192.0.2.7"), "192.0.2.7"),
        (DeviceEntity(id=7), "device 7"),
        ({"id": 7, "hostname": "r7"}, "r7"),
        ("192.0.2.7", "192.0.2.7"),
    ],
)
def test_a_device_is_called_by_what_people_know_it_by(device: Any, name: str) -> None:
    assert name_of(device) == name
