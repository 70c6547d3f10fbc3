"""`supervisor local`: engine and worker together, kept running, their state kept."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

import pytest
from commands_support import supervisor
from local_support import (
    announced_in,
    children_of,
    clean_environment,
    descendants_of,
    is_alive,
    programs_of,
    running,
    submit,
    submit_here,
    write_block,
)

from supervisor.commands.local.announcement import running_engines
from supervisor.commands.local.pair import ENGINE_READY_SECONDS, ENGINE_STOP_SECONDS, WORKER_READY_SECONDS
from supervisor.commands.shared.program import path_of_our_code
from supervisor.log.event import Event
from supervisor.log.events.jobs import JobEnded
from supervisor.log.events.worker import (
    Registered,
    RegistrationKept,
    ResultsLeft,
    StopSignalled,
    WorkerReady,
    WorkerStopped,
)
from supervisor.worker.shutdown import END_SECONDS
from tests.patience import PATIENCE_SECONDS, wait_until

READY = r"ready, the engine is at (http://127\.0\.0\.1:\d+)\."
WAITS_FOR_A_FILE = """
import pathlib
async def released():
    while not pathlib.Path({file!r}).exists():
        await asyncio.sleep(0.02)
    return "released"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_block(tmp_path / "greet.py")
    return tmp_path


def local(*more: str) -> tuple[str, ...]:
    return ("local", "--port", "0", "--function-blocks", "greet.py", *more)


def test_a_job_runs_and_is_still_known_after_a_restart(home: Path) -> None:
    with running(home, *local()) as first:
        first.wait_for(READY)
        done = submit_here(home, "greet", "--wait")
        assert done.returncode == 0, done.stderr
        assert first.end() == 0
    lines = "\n".join(first.lines)
    stopping = lines.index("Stopping the worker, then the engine")
    assert stopping < lines.index(f"event={WorkerStopped.name}")
    assert "Traceback" not in lines
    worker = first.wait_for(rf"worker (\S+)\. event={Registered.name}$")[1]
    with running(home, *local()) as second:
        second.wait_for(rf"worker {worker}\. event={RegistrationKept.name}$")
        second.wait_for(READY)
        job = submit_here(home, "greet", "--type", "rollback", "--wait")
        assert job.returncode == 1
        assert "Rollback not implemented" in job.stdout
        assert second.end(signal.SIGTERM) == 0


def test_an_engine_that_crashes_is_started_again_at_its_place_and_jobs_run_on(home: Path) -> None:
    with running(home, *local()) as command:
        url = command.wait_for(READY)[1]
        below = programs_of(command)
        assert set(below) == {"sdk.devengine", "supervisor"}
        os.kill(below["sdk.devengine"], signal.SIGKILL)
        command.wait_for(r"The engine ended \(by SIGKILL\)\. It is started again in")

        def is_back() -> bool:
            now = programs_of(command).get("sdk.devengine")
            return now not in (None, below["sdk.devengine"]) and submit_here(home, "greet").returncode == 0

        wait_until(is_back, lambda: "\n".join(command.lines))
        done = submit_here(home, "greet", "--wait", "--engine-url", url)
        assert done.returncode == 0, done.stderr
        assert programs_of(command)["supervisor"] == below["supervisor"]
        assert command.end() == 0


def test_a_worker_that_is_killed_is_started_again(home: Path) -> None:
    with running(home, *local()) as command:
        command.wait_for(READY)
        os.kill(programs_of(command)["supervisor"], signal.SIGKILL)
        command.wait_for(r"The worker ended \(by SIGKILL\)\.")
        command.wait_for(f"event={RegistrationKept.name}$")
        assert submit_here(home, "greet", "--wait").returncode == 0
        assert command.end() == 0


def test_a_second_start_on_the_same_state_is_refused(home: Path) -> None:
    with running(home, *local()) as first:
        first.wait_for(READY)
        with running(home, *local()) as second:
            assert second.wait() == 1
        assert "is in use by another supervisor" in "\n".join(second.lines)
        assert "--state-dir" in "\n".join(second.lines)


def test_a_port_that_is_taken_is_one_message(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running(home, "local", "--port", str(port), "--function-blocks", "greet.py") as command:
            assert command.wait() == 1
    said = "\n".join(command.lines)
    assert said.count(f"can't listen on 127.0.0.1 port {port}") == 1
    assert "Traceback" not in said


def test_a_worker_that_can_not_start_ends_it_with_the_reason(home: Path) -> None:
    with running(home, *local("--max-job-seconds", "10000")) as command:
        assert command.wait() == 2
    assert "--max-job-seconds 10000" in "\n".join(command.lines)


def test_a_worker_that_is_not_ready_in_time_ends_it_with_the_reason(home: Path) -> None:
    """Of the ten minutes that it has, a tenth of a second is left here: no interpreter starts in that."""
    code = (
        "import sys\n"
        "from supervisor.commands.local import command, pair\n"
        "pair.WORKER_READY_SECONDS = 0.1\n"
        "sys.exit(command.run(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *local()[1:]],
        cwd=home,
        env=clean_environment(home) | path_of_our_code(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "supervisor local: The worker was not ready within 0.1 s." in done.stderr


@pytest.mark.parametrize("words", [local(), ("dev", "greet.py")], ids=["local", "dev"])
def test_a_worker_that_was_drained_to_end_is_not_started_again_and_the_engine_ends_with_it(
    home: Path, words: tuple[str, ...]
) -> None:
    with running(home, *words) as command:
        command.wait_for("ready")
        wait_until(lambda: len(programs_of(command)) == 2)
        state = announced_in(home).token_file.parent
        done = supervisor("drain", "--exit", "--wait", "--state-dir", str(state))
        # A line before it says so where a poll is on its way.
        assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["drained; the worker ends"]), (
            done.stderr
        )
        assert command.wait() == 0
    said = "\n".join(command.lines)
    assert (
        "The worker has ended as it was told to, by `supervisor drain --exit` or a signal. Stopping the engine."
        in said
    )
    assert "is started again" not in said


def test_a_job_that_runs_may_finish_after_the_first_signal_and_its_result_is_kept(home: Path) -> None:
    release = home / "release"
    write_block(home / "greet.py", "await released()", WAITS_FOR_A_FILE.format(file=str(release)))
    with running(home, *local("--shutdown-timeout-seconds", "60")) as command:
        command.wait_for(READY)
        assert submit_here(home, "greet").returncode == 0
        command.wait_for(r"\] greeting$")
        command.process.send_signal(signal.SIGINT)
        command.wait_for(f"event={StopSignalled.name}")
        release.touch()
        assert command.wait() == 0
    said = "\n".join(command.lines)
    (ended,) = [line for line in command.lines if line.endswith(f"event={JobEnded.name}")]
    assert "success (completed)" in ended
    assert said.index(f"event={StopSignalled.name}") < said.index(ended)
    assert f"event={ResultsLeft.name}" not in said


@pytest.mark.parametrize(
    ("flags", "variables", "env_file", "seconds"),
    [
        ((), {}, "", 60),
        (("--shutdown-timeout-seconds", "700"), {"NEOPS_SHUTDOWN_TIMEOUT_SECONDS": "600"}, "", 700),
        ((), {"NEOPS_SHUTDOWN_TIMEOUT_SECONDS": "600"}, "", 600),
        ((), {}, "NEOPS_SHUTDOWN_TIMEOUT_SECONDS=600\n", 600),
    ],
    ids=["the default", "a flag", "a variable", "a line of .env"],
)
def test_systemd_is_told_when_both_are_there_and_asked_for_all_the_time_that_start_and_end_may_take(
    home: Path, flags: tuple[str, ...], variables: dict[str, str], env_file: str, seconds: int
) -> None:
    (home / ".env").write_text(env_file)
    address = home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(PATIENCE_SECONDS)
        with running(home, *local(*flags), NOTIFY_SOCKET=str(address), **variables) as command:
            assert extension_in(systemd.recv(4096)) >= ENGINE_READY_SECONDS + WORKER_READY_SECONDS
            told = systemd.recv(4096).decode()
            assert told.startswith("READY=1\nSTATUS=engine at http://127.0.0.1:")
            assert command.end(signal.SIGTERM) == 0
            stopping, extension = systemd.recv(4096).splitlines()
            assert stopping == b"STOPPING=1"
            assert extension_in(extension) == seconds + END_SECONDS + ENGINE_STOP_SECONDS
    (signalled,) = [line for line in command.lines if f"event={StopSignalled.name}" in line]
    assert f"have {seconds} s to end" in signalled  # so it is of the worker


def extension_in(assignment: bytes) -> float:
    """The seconds that systemd is asked for, and nothing beside them."""
    match = re.fullmatch(rb"EXTEND_TIMEOUT_USEC=(\d+)", assignment)
    assert match, assignment
    return int(match[1]) / 1e6


def test_nothing_is_alive_when_it_was_killed(home: Path) -> None:
    with running(home, *local()) as command:
        command.wait_for(READY)
        below = programs_of(command)
        assert len(below) == 2
        os.kill(command.process.pid, signal.SIGKILL)
        gone = lambda: not any(Path(f"/proc/{pid}").exists() for pid in below.values())  # noqa: E731
        wait_until(gone, lambda: str(below))


def test_killing_both_processes_of_the_command_leaves_nothing_and_the_next_start_finds_its_state(
    home: Path,
) -> None:
    with running(home, *local()) as command:
        command.wait_for(READY)
        assert submit_here(home, "greet", "--params", '{"seconds": 600}').returncode == 0
        command.wait_for(r"\] greeting$")
        (inner,) = children_of(command.process.pid)
        below = descendants_of(inner)
        assert len(below) >= 4, "engine, keeper, worker, job"
        os.kill(command.process.pid, signal.SIGSTOP)  # or it would see the other's end, and clear up
        os.kill(inner, signal.SIGKILL)
        os.kill(command.process.pid, signal.SIGKILL)
        with running(home, *local()) as second:
            second.wait_for(READY)
            wait_until(lambda: not [process for process in below if is_alive(process)], lambda: str(below))
            assert "Back as worker" in "\n".join(second.lines)
            assert submit_here(home, "greet", "--wait").returncode == 0
            assert second.end() == 0


def test_a_result_is_waited_for_while_the_engine_is_started_again(home: Path) -> None:
    with running(home, *local()) as command:
        command.wait_for(READY)
        waiting = threading.Thread(target=lambda: results.append(submit(home, "greet", "--wait", *slow)))
        results: list[subprocess.CompletedProcess[str]] = []
        slow = ("--params", '{"seconds": 1}')
        waiting.start()
        command.wait_for(r"\] greeting$")
        os.kill(programs_of(command)["sdk.devengine"], signal.SIGKILL)
        waiting.join(PATIENCE_SECONDS)
        (done,) = results
        assert (done.returncode, '"success": true' in done.stdout) == (0, True), done.stderr


def test_the_format_and_the_level_of_the_log_are_those_that_are_given(home: Path) -> None:
    with running(home, *local("--log-format", "json", "--log-level", "warning")) as command:
        command.wait_for(READY)
        assert submit_here(home, "greet", "--params", '{"fails": true}', "--wait").returncode == 1
        assert command.end() == 0
    logged = [json.loads(line) for line in command.lines if line.startswith("{")]
    assert {line["level"] for line in logged} == {"WARNING"}
    assert not [line for line in command.lines if " INFO " in line]


def test_a_level_in_the_file_of_variables_is_in_force_after_a_hangup_signal(home: Path) -> None:
    (home / ".env").write_text("NEOPS_LOG_LEVEL=warning\n")
    with running(home, *local()) as command:
        command.wait_for(READY)
        assert not [line for line in command.lines if " INFO " in line]
        (home / ".env").write_text("NEOPS_LOG_LEVEL=debug\n")
        command.process.send_signal(signal.SIGHUP)
        command.wait_for(" INFO .*The worker is reloaded")
        assert submit_here(home, "greet", "--wait").returncode == 0
        command.wait_for(" DEBUG ")
        assert command.end() == 0


@pytest.mark.parametrize("words", [local(), ("dev", "greet.py")], ids=["local", "dev"])
def test_a_terminal_that_is_closed_leaves_a_running_job_its_time_however_often_it_is_told(
    home: Path, words: tuple[str, ...]
) -> None:
    """bash and zsh pass its SIGHUP on to their jobs, and the kernel sends another one when they have ended."""
    release = home / "release"
    write_block(home / "greet.py", "await released()", WAITS_FOR_A_FILE.format(file=str(release)))
    terminal, side = pty.openpty()
    command = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-m", "supervisor", *words, "--shutdown-timeout-seconds", "60"],
        cwd=home,
        env=clean_environment(home),
        stdin=side,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    try:
        wait_until(lambda: is_announced(home), "the engine is announced")
        # Open to the end, as `dev` removes it.
        with announced_in(home).worker_log.open() as log:
            wait_until(lambda: told(log, WorkerReady), "the worker is ready")
            assert submit_here(home, "greet").returncode == 0
            wait_until(lambda: any(line["message"] == "greeting" for line in told(log)), "the job runs")
            (inner,) = children_of(command.pid)
            os.close(terminal)
            wait_until(lambda: told(log, StopSignalled), "the worker stops")
            for _ in range(2):
                os.kill(inner, signal.SIGHUP)
                wait_until(lambda: not is_pending(inner, signal.SIGHUP), "SIGHUP is heard")
            release.touch()
            assert command.wait(PATIENCE_SECONDS) == 0
            assert len(told(log, StopSignalled)) == 1
            assert [line["outcome"] for line in told(log, JobEnded)] == ["success"]
    finally:
        command.kill()
        command.wait()


def is_announced(home: Path) -> bool:
    return bool(running_engines(home / "state" / "neops-local" / "running"))


def told(log: TextIO, event: type[Event] | None = None) -> list[dict[str, Any]]:
    """All that a worker's log of JSON lines has so far, or what it has of one event."""
    log.seek(0)
    whole = log.read().rpartition("\n")[0]  # the last line may be half there
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return [line for line in lines if event is None or line["event"] == event.name]


def is_pending(pid: int, number: signal.Signals) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pending = next(line.split()[1] for line in lines if line.startswith("ShdPnd"))
    return bool(int(pending, 16) >> (number - 1) & 1)
