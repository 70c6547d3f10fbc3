"""A session asks for a place before anything is opened, and gives it back however it ends."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from connection_support import result_of, ssh_threads

from sdk.concurrency import run_parallel
from sdk.connection import Cause, Configuration, DeviceError, Login, connect, connect_sync, detect_platform
from sdk.connection.changes.errors import ChangeInterruptedError
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.deadline import Deadline
from sdk.connection.places import SessionPlace, use_places
from sdk.connection.platforms.ios import Ios
from sdk.connection.session import Session
from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS, until

PASSWORD = "never-to-be-seen-1"


class Counted:
    """A worker's places, for one process."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.free = threading.Semaphore(limit)
        self.asked: list[str] = []
        self.given_back = 0

    def ask(self, device: str) -> "CountedPlace":
        self.asked.append(device)
        return CountedPlace(self)


class CountedPlace:
    def __init__(self, places: Counted) -> None:
        self.places = places
        self.has = False
        self.is_over = False

    def wait(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not self.is_over and time.monotonic() < end:
            if self.places.free.acquire(timeout=0.02):
                self.has = True
                return True
        return self.is_over

    def give_back(self) -> None:
        self.is_over = True
        self.places.given_back += 1
        if self.has:
            self.places.free.release()


@pytest.fixture
def places() -> Iterator[Counted]:
    counted = Counted(1)
    use_places(counted)
    yield counted
    use_places(None)


def login(device: EmulatedIos, password: str = PASSWORD) -> Login:
    return Login(host=device.host, port=device.port, username="admin", password=password)


async def show(device: EmulatedIos, *, password: str = PASSWORD, login_seconds: float = 30) -> str:
    async with connect(login(device, password), platform="ios", login_seconds=login_seconds) as connection:
        return (await connection.send_command("show clock")).output


async def test_a_session_that_ends_well_gives_its_place_back(places: Counted) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        assert "UTC" in await show(device)
        assert "UTC" in await show(device)
        assert set(places.asked) == {f"127.0.0.1 port {device.port}"}
    await until(lambda: places.given_back == len(places.asked))


async def test_so_does_a_login_that_fails_and_a_connection_that_breaks(places: Counted) -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(drop_mid_command="show clock")) as device:
        with pytest.raises(DeviceError) as refused:
            await show(device, password="wrong")
        assert refused.value.cause is Cause.WRONG_PASSWORD
        await until(lambda: places.given_back == 1)
        with pytest.raises(DeviceError) as broken:
            await show(device)
        assert broken.value.cause is Cause.CONNECTION_LOST
        await until(lambda: places.given_back == 2)


async def test_waiting_counts_against_the_login_and_its_end_says_who_has_the_places(places: Counted) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        places.free.acquire()  # as another job has
        with pytest.raises(DeviceError) as taken:
            await show(device, login_seconds=0.3)
        assert (taken.value.cause, taken.value.retryable) == (Cause.SESSIONS_TAKEN, True)
        assert (
            "within 0.3 s, the one session that this worker may have there was taken by other jobs."
            in str(taken.value)
        )
        places.free.release()
        async with connect(login(device), platform="ios"):
            with pytest.raises(DeviceError, match="was taken by this job itself"):
                await show(device, login_seconds=0.3)


async def test_a_wait_whose_thread_is_late_is_not_taken_for_a_device_that_does_not_answer(
    places: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    # As on a busy machine: its limit is over long before its thread runs again.
    monkeypatch.setattr(CountedPlace, "wait", lambda self, seconds: go_on.wait(PATIENCE_SECONDS) and False)
    async with EmulatedIos("admin", PASSWORD) as device:
        with pytest.raises(DeviceError) as taken:
            await show(device, login_seconds=0.1)
        go_on.set()
    assert taken.value.cause is Cause.SESSIONS_TAKEN
    await until(lambda: places.given_back == 1)


async def test_who_is_cancelled_while_it_waits_wants_no_place_any_more(places: Counted) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        places.free.acquire()
        waiting = asyncio.create_task(show(device))
        await until(lambda: places.asked)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until(lambda: places.given_back == 1)


def test_a_session_that_was_given_up_before_it_asks_for_a_place_waits_for_none(places: Counted) -> None:
    places.free.acquire()  # as another job has
    session = Session(Login(host="192.0.2.1", username="admin", password=PASSWORD))
    session.abort()
    place = SessionPlace(session.where)
    session.use_place(place)
    assert places.given_back == 1
    with pytest.raises(DeviceError):
        place.wait(Deadline(PATIENCE_SECONDS))


@pytest.mark.parametrize("is_sync", [False, True])
async def test_a_kept_session_that_gets_no_further_gives_its_place_back_and_ends(
    places: Counted, is_sync: bool
) -> None:
    # As IOS answers where nobody has configured a secret.
    refused = Faults(outputs={"enable": "% No password set"})
    async with EmulatedIos("admin", PASSWORD, enable_secret="unknown", faults=refused) as device:

        async def enter() -> None:
            async with connect(login(device), platform="ios", needs=(Configuration,)):
                pass

        def enter_sync() -> None:
            with connect_sync(login(device), platform="ios", needs=(Configuration,)):
                pass

        async def work() -> None:
            await show(device)
            assert places.given_back == 0, "the session is kept for the next connect"
            with pytest.raises(DeviceError, match="No password set") as caught:
                await (asyncio.to_thread(enter_sync) if is_sync else enter())
            assert caught.value.cause is Cause.WRONG_ENABLE_SECRET
            assert places.asked == [f"127.0.0.1 port {device.port}"], "it was the kept session"
            await until(lambda: places.given_back == 1 and not ssh_threads(), "the session has ended")
            # Before the block ends: another connect finds the one place free.
            assert "UTC" in await show(device)

        result = await result_of(work)
    assert result.success, result.message


@pytest.mark.parametrize("after_seconds", [0, 0.5])
async def test_a_session_that_its_block_would_keep_makes_way_for_one_that_waits_for_its_place(
    places: Counted, after_seconds: float
) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:

        async def work() -> None:
            async with connect(login(device), platform="ios"):
                waiting = asyncio.create_task(show(device))
                await until(lambda: len(places.asked) == 2, "the second session has asked")
                await asyncio.sleep(after_seconds)  # nothing is waited for: each of these moments must do
            assert "UTC" in await waiting

        result = await result_of(work)
    assert result.success, result.message


async def test_more_coroutines_than_a_device_has_places_all_get_their_turn(places: Counted) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:

        async def work() -> None:
            outputs = await run_parallel(*(show(device) for _ in range(4)))
            assert all("UTC" in output for output in outputs)

        result = await result_of(work)
    assert result.success, result.message


async def test_a_kept_session_makes_way_for_one_of_another_kind_on_the_same_device(places: Counted) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        lines: list[str] = []
        settings: list[dict[str, Any]] = [{}, {"max_output_bytes": 1000}, {"session_log": lines.append}]

        async def work() -> None:
            for each in settings:
                async with connect(login(device), platform="ios", **each) as connection:
                    assert "UTC" in (await connection.send_command("show clock")).output
            assert (await detect_platform(login(device))).platform == "ios"

        result = await result_of(work)
    assert result.success, result.message


async def test_a_session_that_is_kept_on_another_device_makes_no_way(places: Counted) -> None:
    places.free.release()  # one for each of the two
    async with EmulatedIos("admin", PASSWORD) as one, EmulatedIos("admin", PASSWORD) as other:

        async def work() -> None:
            await show(one)
            places.free.acquire()  # as another job has, of the second device
            with pytest.raises(DeviceError) as taken:
                await show(other, login_seconds=0.5)
            assert taken.value.cause is Cause.SESSIONS_TAKEN
            await show(one)

        result = await result_of(work)
        assert result.success, result.message
        assert one.passwords_received == 1, "it was the kept session"


@pytest.mark.parametrize("is_sync", [False, True])
async def test_a_change_that_a_bug_ends_is_taken_back_where_a_device_has_one_place(
    places: Counted, is_sync: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Ios.send_config_line
    bugs = [KeyError("the bug")]

    def send_config_line(self: Ios, line: ConfigurationLine, *, deadline: Deadline) -> str:
        if "192.0.2.78" in line.text and bugs:
            raise bugs.pop()
        return send(self, line, deadline=deadline)

    monkeypatch.setattr(Ios, "send_config_line", send_config_line)
    lines = "ntp server 192.0.2.77\nntp server 192.0.2.78"

    def change(device: EmulatedIos) -> None:
        with connect_sync(login(device), platform="ios", needs=(Configuration,)) as connection:
            connection.apply(connection.plan(lines), 30)

    async def awaited_change(device: EmulatedIos) -> None:
        async with connect(login(device), platform="ios", needs=(Configuration,)) as connection:
            await connection.apply(await connection.plan(lines), 30)

    async with EmulatedIos("admin", PASSWORD) as device:
        before = device.device.running_config()
        with pytest.raises(ChangeInterruptedError, match="Another session took the lines back"):
            await (asyncio.to_thread(change, device) if is_sync else awaited_change(device))
        assert device.device.running_config() == before


def test_where_no_worker_is_nobody_is_asked() -> None:
    place = SessionPlace("192.0.2.1 port 22")
    place.wait(Deadline(0))
    place.give_back()
    place.give_back()
