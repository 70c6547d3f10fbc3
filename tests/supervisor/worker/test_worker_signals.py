"""Stop signals: each reaches the loop, and none meets the default action once they are listened to."""

import os
import pty
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.patience import PATIENCE_SECONDS


def run(program: str, stderr: int | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, stderr=stderr, text=True
    )


def test_no_signal_ends_the_process_while_its_handlers_come_and_go() -> None:
    process = run(
        """
        import asyncio
        from supervisor.worker.signals import stop_signals

        async def main():
            for number in range(400):
                with stop_signals(lambda number: None):
                    if not number:
                        print("ready", flush=True)
                    await asyncio.sleep(0.001)

        asyncio.run(main())
        """
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "ready\n"
        end = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < end:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                process.send_signal(number)
            time.sleep(0.0001)
    assert process.returncode == 0


def test_a_signal_that_another_thread_receives_wakes_the_loop() -> None:
    process = run(
        """
        import asyncio, signal, threading
        from supervisor.worker.signals import stop_signals

        async def main():
            came = asyncio.Queue()
            with stop_signals(came.put_nowait):
                other = threading.Thread(target=threading.Event().wait, daemon=True)
                other.start()
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
                print("ready", flush=True)
                print((await came.get()).name, flush=True)

        asyncio.run(main())
        """
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(PATIENCE_SECONDS) == 0
        finally:
            process.kill()
        assert process.stdout.read() == "SIGTERM\n"


TELLS_WHAT_IT_IS_TOLD = """
    import asyncio, os, signal
    from supervisor.worker.signals import stop_signals

    async def main():
        # Not stdout itself: that is turned off with the terminal.
        with open(os.dup(1), "w", buffering=1) as answers:
            tell = lambda text: print(text, file=answers)
            with stop_signals(lambda number: tell(number.name), lambda: tell("reload")):
                # The loop calls this after what it was told before.
                asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell, "mark")
                tell("mark")
                await asyncio.Event().wait()

    asyncio.run(main())
    """


def told_until_mark(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    told: list[str] = []
    for line in process.stdout:
        if line == "mark\n":
            return told
        told.append(line.rstrip())
    raise AssertionError(f"ended with {process.wait(PATIENCE_SECONDS)} after {told}")


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ([], ["SIGHUP"]),
        ([signal.SIGHUP], ["SIGHUP"]),
        ([signal.SIGINT], []),
        ([signal.SIGTERM], []),
    ],
    ids=["nothing before", "a reload before", "a Ctrl-C before", "a SIGTERM before"],
)
def test_a_terminal_that_is_closed_is_one_stop_however_often_it_is_told_and_none_after_another(
    before: list[signal.Signals], told: list[str]
) -> None:
    terminal, side = pty.openpty()
    process = run(TELLS_WHAT_IT_IS_TOLD, stderr=side)
    os.close(side)

    def told_after(*numbers: signal.Signals) -> list[str]:
        for number in (*numbers, signal.SIGUSR1):
            process.send_signal(number)
        return told_until_mark(process)

    with process:
        try:
            assert told_until_mark(process) == []
            reload_or_stop = ["reload" if each is signal.SIGHUP else each.name for each in before]
            assert told_after(*before) == reload_or_stop
            os.close(terminal)
            assert [told_after(signal.SIGHUP) for _ in range(3)] == [told, [], []]
        finally:
            process.kill()


def test_the_third_signal_ends_a_worker_whose_loop_does_not_go_on_and_whose_log_nobody_reads() -> None:
    process = run(
        """
        import asyncio, os, time
        from supervisor.worker.shutdown import Shutdown
        from supervisor.worker.signals import stop_signals

        async def main():
            # What a handler hands to the loop comes to nothing here. It tells that the signal was heard.
            asyncio.get_running_loop().call_soon_threadsafe = lambda *_: print("heard", flush=True)
            shutdown = Shutdown(60, None, None)
            with stop_signals(lambda number: None, on_third=shutdown.end_at_once):
                reading, full = os.pipe()
                os.set_blocking(full, False)
                try:
                    while os.write(full, b"x"):
                        pass
                except BlockingIOError:
                    os.set_blocking(full, True)
                os.dup2(full, 2)
                print("ready", flush=True)
                while True:  # no turn of the loop ever again
                    time.sleep(0.01)

        asyncio.run(main())
        """
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "ready\n"
        for _ in range(2):  # two that come before the first is heard are one
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "heard\n"
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(PATIENCE_SECONDS) == 130
        finally:
            process.kill()
