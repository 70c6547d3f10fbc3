"""A session log that fails is told as that, and no command gets the rest of another one's answer. Over real SSH."""

import errno
from collections.abc import AsyncIterator, Callable

import pytest
from connection_support import PASSWORD, SECRET, connected, login_to, ssh_threads

from sdk.connection import Cause, Configuration, connect
from sdk.connection.changes.errors import ChangeInterruptedError
from sdk.connection.errors import SessionEndedError, SessionLogError
from sdk.masking import know_job, learn, start_learning
from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import until

ERRORS = [
    OSError(errno.ENOSPC, "No space left on device"),
    ValueError("I/O operation on closed file."),
    TimeoutError("the log is slow"),
    EOFError(),
    KeyError("r1"),
]


@pytest.fixture(autouse=True)
async def no_ssh_thread_left() -> AsyncIterator[None]:
    """Whatever a log does to a session: paramiko's thread ends."""
    yield
    await until(lambda: ssh_threads() == [], "the threads of SSH are gone")


def failing(error: Exception, at: str, times: int = 1000) -> Callable[[str], None]:
    """Return a log that raises `error` at each line with `at` in it, at most `times`."""
    left = [error] * times

    def write(line: str) -> None:
        if at in line and left:
            raise left.pop()

    return write


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_log_that_fails_in_an_answer_is_named_and_the_next_command_gets_nothing_of_that_answer(
    error: Exception,
) -> None:
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios", session_log=failing(error, "hostname r1")) as connection,
    ):
        with pytest.raises(SessionLogError, match="given as `session_log` raised an error") as raised:
            await connection.send_command("show running-config")
        with pytest.raises(SessionEndedError, match="its session log failed"):
            await connection.send_command("show clock")
        assert "show clock" not in device.typed
    assert (raised.value.cause, raised.value.retryable) == (Cause.SESSION_LOG_FAILED, False)
    assert type(error).__name__ in str(raised.value)
    assert "test_session_log.py" in str(raised.value), "the line that raised it is named"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("at", ["<", "> terminal length 0", "> enable"])
async def test_a_log_that_fails_during_a_login_is_named_and_nothing_stays_open(
    error: Exception, at: str
) -> None:
    async with EmulatedIos("admin", PASSWORD, "r1", enable_secret=SECRET) as device:
        login = login_to(device, enable_secret=SECRET)
        with pytest.raises(SessionLogError, match=type(error).__name__):
            async with connect(login, platform="ios", session_log=failing(error, at)):
                pass


async def test_a_log_that_fails_behind_the_size_limit_is_named() -> None:
    faults = Faults(large_output="show tech", large_output_bytes=300_000)
    log = failing(OSError(errno.ENOSPC, "No space left on device"), "line 000004000 ")
    async with connected(faults, max_output_bytes=100_000, session_log=log) as connection:
        with pytest.raises(SessionLogError, match="No space left on device"):
            await connection.send_command("show tech")


async def test_a_session_log_holds_no_secret_that_the_job_came_with_or_has_learned() -> None:
    came_with, learned = "never-to-be-seen-8", "never-to-be-seen-9"
    know_job(lambda: frozenset({came_with}))
    start_learning()
    lines: list[str] = []
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios", session_log=lines.append) as connection,
    ):
        await connection.send_command(f"show {came_with}")
        learn({learned})
        for secret in (came_with, learned):
            await connection.send_command(f"show {secret}")
    assert len([line for line in lines if "> show ***" in line]) == 3
    assert any("< show ***" in line for line in lines), "the echo"
    assert "never-to-be-seen" not in "\n".join(lines)


async def test_a_secret_in_the_error_of_a_log_is_not_shown() -> None:
    log = failing(RuntimeError(f"no place for {PASSWORD}"), "> show clock")
    async with connected(session_log=log) as connection:
        with pytest.raises(SessionLogError, match="RuntimeError: no place for") as raised:
            await connection.send_command("show clock")
    assert PASSWORD not in str(raised.value)


async def test_a_log_that_fails_once_during_a_change_is_told_with_what_came_of_the_change() -> None:
    log = failing(OSError(errno.ENOSPC, "No space left on device"), "> ntp server 192.0.2.78", times=1)
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios", needs=(Configuration,), session_log=log) as connection,
    ):
        before = device.device.running_config()
        plan = await connection.plan("ntp server 192.0.2.77\nntp server 192.0.2.78")
        with pytest.raises(ChangeInterruptedError, match="No space left on device") as interrupted:
            await connection.apply(plan)
        assert device.device.running_config() == before
    assert "Another session took the lines back. Its configuration is as it was before." in str(
        interrupted.value
    )
