"""`connect` and `connect_sync` on an emulated IOS, over real SSH."""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from connection_support import PASSWORD, SECRET, connected, login_to, ssh_threads

from sdk.connection import Cause, Configuration, DeviceError, Execution, Login, connect, connect_sync
from sdk.connection.errors import BadCommandError, SessionEndedError, SessionLogError, UnexpectedDeviceError
from sdk.connection.reading import Reading
from sdk.masking import know_job
from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS, until

PROMPT_LIKE = "first\nr1#\nr1#\nr1(config)#\nr2#\nlast r1#"
STAGES = (Cause.CONNECT_TIMEOUT, Cause.NO_BANNER, Cause.NO_KEY_EXCHANGE, Cause.LOGIN_TIMEOUT, Cause.NO_PROMPT)
"""What a login is said to have waited for, by how far it has come at its limit."""
SLOW_SECONDS = 30.0


@pytest.fixture(autouse=True)
async def no_ssh_thread_left() -> AsyncIterator[None]:
    """Whatever a test does to a session: paramiko's thread ends."""
    yield
    await until(lambda: ssh_threads() == [], "the threads of SSH are gone")


async def test_a_command_is_answered_as_text_and_as_data() -> None:
    async with connected(needs=(Execution,)) as conn:
        answer = await conn.send_command("show version", parse=True)
        clock = await conn.send_command("show clock")
    assert answer.output.startswith("Emulated IOS Software")
    assert answer.output.endswith("Configuration register is 0x2102")
    assert answer.parsed[0]["hostname"] == "r1"
    assert (clock.parsed, clock.is_cut, clock.is_refused, conn.platform) == (None, False, False, "ios")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("show clock\nreload", "more than one line"),
        ("show clock\rreload", "more than one line"),
        ("\nreload", "more than one line"),
        ("show clock\x03", "a control character"),
        ("show clock\x1aq", "a control character"),
        ("show\x00clock", "a control character"),
        ("show \ud800", "half of a character"),
    ],
)
async def test_a_command_that_is_more_than_one_line_is_not_sent(command: str, said: str) -> None:
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios") as connection,
    ):
        device.typed.clear()
        with pytest.raises(BadCommandError, match=said) as raised:
            await connection.send_command(command)
        with pytest.raises(BadCommandError, match="more than one line"):
            await connection.send_interactive([("clear counters", "confirm"), ("y\nreload", None)])
        assert device.typed == [], "nothing was sent"
        assert raised.value.retryable is False
        assert (await connection.send_command("show clock\n")).output, "the session goes on"


async def test_of_a_secret_in_what_is_not_sent_not_even_the_beginning_is_shown() -> None:
    of_the_job = "Trellis-Wagon-1842"
    know_job(lambda: frozenset({of_the_job}))
    async with connected() as connection:
        for secret in (PASSWORD, of_the_job):
            for kept in range(3, len(secret)):  # of the 80 characters that a message shows
                with pytest.raises(BadCommandError, match="more than one line") as line:
                    await connection.send_command("x" * (80 - kept) + secret + "\nreload")
                pattern = "(" + "x" * (79 - kept) + secret
                with pytest.raises(BadCommandError, match="no regular expression") as dialogue:
                    await connection.send_interactive([("show clock", pattern)])
                assert secret[:3] not in f"{line.value} {dialogue.value}"


def test_the_same_works_without_an_event_loop() -> None:
    async def serve(stop: asyncio.Event, started: "asyncio.Future[EmulatedIos]") -> None:
        async with EmulatedIos("admin", PASSWORD, "r1") as device:
            started.set_result(device)
            await stop.wait()

    def use(device: EmulatedIos) -> str:
        with connect_sync(login_to(device), platform="ios") as conn:
            return conn.send_command("show running-config | include hostname").output

    async def main() -> str:
        stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
        server = asyncio.create_task(serve(stop, started))
        output = await asyncio.to_thread(use, await started)
        stop.set()
        await server
        return output

    assert asyncio.run(main()) == "hostname r1"


async def test_lines_like_the_prompt_and_a_pause_behind_each_cut_nothing() -> None:
    for at in (6, 10, 14, 21, 25, len(PROMPT_LIKE) + 3):  # in and behind the prompt-like lines
        faults = Faults(
            outputs={"show notes": PROMPT_LIKE}, pause_in="show notes", pause_at_byte=at, pause_seconds=0.4
        )
        async with connected(faults) as conn:
            assert (await conn.send_command("show notes")).output == PROMPT_LIKE
            assert (await conn.send_command("show version")).output.startswith("Emulated IOS")


async def test_a_changed_prompt_is_followed() -> None:
    async with connected(Faults(changed_prompt_at="show clock")) as conn:
        before = conn.prompt
        await conn.send_command("show clock")
        assert (before, conn.prompt) == ("r1#", "standby-r1#")
        assert (await conn.send_command("show version")).output.startswith("Emulated IOS")


async def test_a_banner_that_looks_like_a_prompt_is_no_prompt() -> None:
    async with connected(Faults(login_banner="r1#\nWelcome to r9>\nr1> ")) as conn:
        assert conn.prompt == "r1#"
        assert (await conn.send_command("show version")).output.startswith("Emulated IOS")


async def test_a_large_output_is_cut_and_marked_and_the_session_goes_on() -> None:
    faults = Faults(large_output="show tech", large_output_bytes=2_000_000)
    async with connected(faults, max_output_bytes=100_000) as conn:
        answer = await conn.send_command("show tech")
        assert answer.is_cut
        assert 90_000 < len(answer.output) <= 100_000
        assert (await conn.send_command("show version")).output.startswith("Emulated IOS")


async def test_user_mode_becomes_privileged_mode_with_the_secret_and_where_it_is_needed() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1", enable_secret=SECRET) as device:
        async with connect(login_to(device), platform="ios") as conn:
            assert conn.prompt == "r1>"
        async with connect(login_to(device, enable_secret=SECRET), platform="ios") as conn:
            assert conn.prompt == "r1#"
        with pytest.raises(DeviceError) as wrong:
            async with connect(login_to(device, enable_secret="wrong-" + SECRET), platform="ios"):
                pass
        with pytest.raises(DeviceError) as none:
            async with connect(login_to(device), platform="ios", needs=(Configuration,)):
                pass
    assert (wrong.value.cause, none.value.cause) == (Cause.WRONG_ENABLE_SECRET, Cause.NO_ENABLE_SECRET)
    assert SECRET not in str(wrong.value)


async def test_a_question_is_answered_by_the_steps() -> None:
    async with connected() as conn:
        steps = [("copy running-config startup-config", r"filename"), ("", None)]
        said = await conn.send_interactive(steps)
        assert "[OK]" in said
        with pytest.raises(DeviceError) as other:
            await conn.send_interactive([("show clock", "confirm")])
    assert other.value.cause is Cause.UNEXPECTED_ANSWER


@pytest.mark.parametrize("pattern", ["filename [", "(", 5])
async def test_a_pattern_that_is_no_regular_expression_is_refused_before_the_first_line(pattern: Any) -> None:
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios") as conn,
    ):
        device.typed.clear()
        steps = [("copy running-config startup-config", "filename"), ("", pattern)]
        with pytest.raises(BadCommandError, match="is no regular expression") as raised:
            await conn.send_interactive(steps)
        assert repr(pattern) in str(raised.value)
        assert device.typed == [], "nothing was sent"
        assert "r1" in (await conn.send_command("show running-config | include hostname")).output


async def test_an_error_in_a_dialogue_ends_the_session_so_that_no_command_becomes_an_answer() -> None:
    def write(line: str) -> None:
        if "filename" in line:
            raise RuntimeError("the block's own log failed")

    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios", session_log=write) as conn,
    ):
        steps = [("copy running-config startup-config", "filename"), ("", None)]
        with pytest.raises(SessionLogError, match="RuntimeError: the block's own log failed"):
            await conn.send_interactive(steps)
        with pytest.raises(SessionEndedError, match="its session log failed"):
            await conn.send_command("show clock")
        assert "show clock" not in device.typed


async def test_a_bug_in_the_middle_of_an_answer_ends_the_session_so_that_no_command_gets_the_rest_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a bug")

    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        for steps in (None, [("copy running-config startup-config", "filename"), ("", None)]):
            async with connect(login_to(device), platform="ios") as conn:
                with monkeypatch.context() as patched:
                    patched.setattr(Reading, "feed", broken)
                    with pytest.raises(UnexpectedDeviceError, match="KeyError was raised during"):
                        await (
                            conn.send_interactive(steps)
                            if steps
                            else conn.send_command("show running-config")
                        )
                with pytest.raises(SessionEndedError, match="in the middle of a command"):
                    await conn.send_command("show clock")
        assert "show clock" not in device.typed


@pytest.mark.parametrize(
    ("seconds", "error"),
    [
        *((each, ValueError) for each in (math.inf, -math.inf, math.nan, 1e300)),
        *((each, TypeError) for each in (None, "30", True)),
    ],
)
async def test_a_limit_that_can_not_be_waited_for_is_refused_by_its_name_before_anything_is_sent(
    seconds: Any, error: type[Exception]
) -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        login = login_to(device)
        with pytest.raises(error, match="login_seconds is"):
            async with connect(login, platform="ios", login_seconds=seconds):
                pass
        with (
            pytest.raises(error, match="login_seconds is"),
            connect_sync(login, platform="ios", login_seconds=seconds),
        ):
            pass
        async with connect(login, platform="ios", needs=(Configuration,)) as conn:
            plan = await conn.plan("hostname r2")
            device.typed.clear()
            with pytest.raises(error, match="timeout is"):
                await conn.send_command("show clock", timeout=seconds)
            with pytest.raises(error, match="timeout is"):
                await conn.apply(plan, timeout=seconds)
            if seconds is not None:  # which stands for no timer
                with pytest.raises(error, match="confirm_seconds is"):
                    await conn.apply(plan, confirm_seconds=seconds)
            assert device.typed == [], "nothing was sent"
            assert (await conn.send_command("show clock", timeout=1_000_000)).output, "the session goes on"


async def refused(device: EmulatedIos, login_seconds: float) -> DeviceError:
    """Return what a login ends with, of which the device allows none to succeed or to end."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(DeviceError) as raised:
            async with connect(login_to(device), platform="ios", login_seconds=login_seconds):
                pass
    return raised.value


@pytest.mark.parametrize(
    ("faults", "cause", "retryable"),
    [
        (Faults(no_banner=True), Cause.NO_BANNER, True),
        (Faults(http_service=True), Cause.NOT_SSH, False),
        (Faults(telnet_service=True), Cause.NOT_SSH, False),
        (Faults(endless_banner=True), Cause.ENDLESS_BANNER, False),
        (Faults(no_key_exchange=True), Cause.NO_KEY_EXCHANGE, True),
        (Faults(no_common_kex=True), Cause.NO_COMMON_ALGORITHM, False),
        (Faults(session_limit=0), Cause.SESSION_LIMIT, True),
        (Faults(auth_hang=True), Cause.LOGIN_TIMEOUT, True),
        (Faults(second_factor=True), Cause.SECOND_FACTOR, False),
        (Faults(password_expired=True), Cause.EXPIRED_PASSWORD, False),
        (Faults(no_prompt=True), Cause.NO_PROMPT, True),
        (Faults(bash_shell=True), Cause.FOREIGN_SHELL, False),
    ],
    ids=lambda each: each.value if isinstance(each, Cause) else "",
)
async def test_what_ends_a_login_is_named_and_its_limit_holds(
    faults: Faults, cause: Cause, retryable: bool
) -> None:
    async with EmulatedIos("admin", PASSWORD, faults=faults) as device:
        error = await refused(device, login_seconds=1)
        if error.cause is not cause and error.cause in STAGES:
            # The machine was too slow to come as far as the fault within a second.
            error = await refused(device, login_seconds=SLOW_SECONDS)
        await until(lambda: ssh_threads() == [], "the threads of SSH are gone")
    assert (error.cause, error.retryable) == (cause, retryable)
    assert error.where == f"{device.host} port {error.where.split()[-1]}"


@pytest.mark.parametrize(
    "faults", [Faults(login_seconds=1.2), Faults(keyboard_interactive_only=True)], ids=["slow", "interactive"]
)
async def test_a_login_that_is_slow_or_asks_its_questions_works(faults: Faults) -> None:
    async with connected(faults, login_seconds=20) as conn:
        assert conn.prompt == "r1#"


@pytest.mark.parametrize(
    ("faults", "cause"),
    [
        (Faults(command_hang="show clock"), Cause.COMMAND_TIMEOUT),
        (Faults(endless_output="show clock"), Cause.COMMAND_TIMEOUT),
        (Faults(half_open_at="show clock"), Cause.COMMAND_TIMEOUT),
        (Faults(stops_reading_at="show clock"), Cause.COMMAND_TIMEOUT),
        (Faults(question_at="show clock"), Cause.QUESTION),
        (Faults(drop_mid_command="show clock"), Cause.CONNECTION_LOST),
    ],
    ids=lambda each: each.value if isinstance(each, Cause) else "",
)
async def test_what_ends_a_command_is_named_and_its_limit_holds(faults: Faults, cause: Cause) -> None:
    # What the device does is seen when it does it: only for what never comes, the limit has to pass.
    limit_seconds = 1 if cause is Cause.COMMAND_TIMEOUT else SLOW_SECONDS
    async with EmulatedIos("admin", PASSWORD, "r1", faults=faults) as device:
        async with connect(login_to(device), platform="ios") as conn, asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(DeviceError) as raised:
                await conn.send_command("show clock", timeout=limit_seconds)
        await until(lambda: ssh_threads() == [], "the threads of SSH are gone")
    assert raised.value.cause is cause


async def test_a_pager_that_stays_on_is_named() -> None:
    async with connected(Faults(pager_stays_on=True)) as conn:
        with pytest.raises(DeviceError) as raised:
            await conn.send_command("show running-config", timeout=20)
    assert (raised.value.cause, raised.value.last_line) == (Cause.PAGER, "--More--")


async def test_after_a_limit_the_session_is_over_and_says_so() -> None:
    async with connected(Faults(command_hang="show clock")) as conn:
        with pytest.raises(DeviceError):
            await conn.send_command("show clock", timeout=0.3)
        with pytest.raises(DeviceError) as raised:
            await conn.send_command("show version")
    assert raised.value.cause is Cause.SESSION_ENDED


@pytest.mark.parametrize("after_seconds", [0, 0.1, 0.4])
@pytest.mark.parametrize("fault", ["no_banner", "auth_hang", "no_prompt"])
async def test_a_cancelled_login_ends_and_so_does_its_thread(fault: str, after_seconds: float) -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(**{fault: True})) as device:

        async def use() -> None:
            async with connect(login_to(device), platform="ios", login_seconds=10 * PATIENCE_SECONDS):
                pass

        task = asyncio.create_task(use())
        await asyncio.sleep(after_seconds)  # nothing is waited for: each of these moments must do
        task.cancel()
        # Its limit comes much later: what ends here, ends by the cancellation.
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, PATIENCE_SECONDS)
        await until(lambda: ssh_threads() == [], "the threads of SSH are gone")


@pytest.mark.parametrize(
    "faults", [Faults(), Faults(no_common_kex=True), Faults(drop_mid_command="show clock")]
)
async def test_nothing_of_paramiko_is_in_the_log_above_debug_and_no_password_at_all(
    faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with contextlib.suppress(DeviceError):
        async with connected(faults) as conn:
            await conn.send_command("show clock")
    loud = [
        each for each in caplog.records if each.levelno > logging.DEBUG and each.name.startswith("paramiko")
    ]
    assert any(each.name.startswith("paramiko") for each in caplog.records)
    assert (loud, PASSWORD in caplog.text) == ([], False)


async def test_a_session_log_holds_what_was_said_without_secrets() -> None:
    lines: list[str] = []
    async with EmulatedIos("admin", PASSWORD, "r1", enable_secret=SECRET) as device:
        login = login_to(device, enable_secret=SECRET)
        async with connect(login, platform="ios", session_log=lines.append) as conn:
            await conn.send_command(f"show {SECRET}")
    text = "\n".join(lines)
    assert "> enable" in text
    assert "< r1#" in text
    assert SECRET not in text


async def test_nothing_is_sent_where_the_platform_lacks_what_is_needed() -> None:
    with pytest.raises(DeviceError) as raised:
        connect(Login("192.0.2.1", "admin", password="x"), platform="eos", needs=(Configuration,))
    assert raised.value.cause is Cause.NOT_SUPPORTED


@pytest.mark.parametrize(
    ("platform", "cause"), [("abacus", Cause.UNKNOWN_PLATFORM), (None, Cause.NO_PLATFORM)]
)
def test_a_platform_that_is_unknown_or_missing_is_named(platform: Any, cause: Cause) -> None:
    with pytest.raises(DeviceError) as raised:
        connect(Login("192.0.2.1", "admin", password="x"), platform=platform)
    assert raised.value.cause is cause
