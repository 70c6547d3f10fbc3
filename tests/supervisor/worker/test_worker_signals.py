"""Stop signals: each reaches the loop, and none meets the default action once they are listened to."""

import signal
import subprocess
import sys
import textwrap
import time

from tests.patience import PATIENCE_SECONDS


def run(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
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
