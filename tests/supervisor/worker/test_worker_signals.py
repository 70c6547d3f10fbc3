"""Stop signals: each reaches the loop, and none meets the default action once they are listened to."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

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


def test_the_third_signal_ends_a_worker_whose_loop_does_not_go_on_and_whose_log_nobody_reads() -> None:
    process = run(
        """
        import asyncio, os, time
        from supervisor.worker.shutdown import Shutdown
        from supervisor.worker.signals import stop_signals

        async def main():
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
        end = time.monotonic() + PATIENCE_SECONDS
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
            while is_pending(process.pid) and time.monotonic() < end:
                time.sleep(0.01)
        try:
            assert process.wait(PATIENCE_SECONDS) == 130
        finally:
            process.kill()


def is_pending(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    pending = next(line.split()[1] for line in lines if line.startswith("ShdPnd"))
    return bool(int(pending, 16) >> (signal.SIGTERM - 1) & 1)
