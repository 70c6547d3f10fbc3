"""The process behind the harness: it never outlives the tests, and leaves nothing of a block behind."""

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from harness_support import is_alive

from blocks.echo import Echo
from sdk.testing import BlockRunner, HarnessError
from sdk.testing.connection import Connection
from sdk.testing.server import ServerProcess
from tests.patience import PATIENCE_SECONDS, wait_until

STARTS_A_HANG = """
import sys
from sdk.testing import BlockRunner
runner = BlockRunner()
assert runner.run("echo", {"text": "x"}, source="blocks.echo").success
print("ready", flush=True)
runner.run("ignore_sigterm_tree", {"marker": sys.argv[1]}, source="blocks.testing")
"""


def server_processes(client_pid: int) -> set[int]:
    """The pids of the client's block server; parallel tests have others."""
    return {
        process.pid
        for process in psutil.Process(client_pid).children(recursive=True)
        if "supervisor.commands.blockserver" in command_line(process)
    }


def command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended, or is about to
        return []


def marked(marker: str) -> list[int]:
    """The pids of the block's descendants, which carry the marker on their command lines."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if marker in (process.info["cmdline"] or [])
        and "-I" in process.info["cmdline"]
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


@pytest.fixture
def busy_client(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, set[int]]]:
    """A process whose block hangs with descendants, their marker, and the pids of its block server."""
    marker = f"neops-{uuid.uuid4().hex}"
    client = subprocess.Popen(
        [sys.executable, "-c", STARTS_A_HANG, marker],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
        wait_until(lambda: len(marked(marker)) == 3)
        yield client, marker, server_processes(client.pid)
    finally:
        client.kill()
        client.wait()
        assert client.stdout is not None
        client.stdout.close()


def all_gone(pids: set[int], marker: str) -> bool:
    return not marked(marker) and not any(map(is_alive, pids))


def test_nothing_survives_the_process_of_the_tests(busy_client: Any, tmp_path: Path) -> None:
    client, marker, servers = busy_client
    assert servers
    client.kill()
    client.wait(PATIENCE_SECONDS)
    wait_until(lambda: all_gone(servers, marker))
    wait_until(lambda: not list(tmp_path.glob("neops-*")))


@pytest.mark.parametrize("which", ["keeper", "server"])
def test_nothing_survives_when_one_of_its_two_processes_is_killed(
    busy_client: Any, which: str, tmp_path: Path
) -> None:
    client, marker, servers = busy_client
    (keeper,) = (pid for pid in servers if psutil.Process(pid).ppid() == client.pid)
    (server,) = servers - {keeper}
    os.kill({"keeper": keeper, "server": server}[which], signal.SIGKILL)
    wait_until(lambda: all_gone(servers, marker))
    wait_until(lambda: not list(tmp_path.glob("neops-*")))
    assert client.wait(PATIENCE_SECONDS) == 1  # with an error that says so


def test_the_end_of_stdin_is_the_end_although_a_stranger_holds_the_other_end(tmp_path: Path) -> None:
    program = (
        "import os, subprocess, sys, time\n"
        "server = subprocess.Popen([sys.executable, '-m', 'supervisor.commands.blockserver'], stdin=subprocess.PIPE)\n"
        "if os.fork() == 0: time.sleep(600)\n"  # has a copy of the pipe
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    client = subprocess.Popen([sys.executable, "-W", "ignore", "-c", program], stdout=subprocess.PIPE)
    assert client.stdout is not None
    server = int(client.stdout.readline())
    strangers = [child for child in psutil.Process(client.pid).children() if child.pid != server]
    wait_until(lambda: len(psutil.Process(server).children()) == 1)  # up, and under its keeper
    client.kill()
    client.wait()
    client.stdout.close()
    try:
        wait_until(lambda: not is_alive(server))
    finally:
        for stranger in strangers:
            stranger.kill()


def test_a_server_that_died_between_two_runs_is_replaced() -> None:
    with ServerProcess() as server:
        runner = BlockRunner(server)
        assert runner.run(Echo, {"text": "x"}).success
        first = server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        assert runner.run(Echo, {"text": "x"}).success
        assert server.pid != first


def test_a_server_that_dies_during_a_run_is_an_error_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ServerProcess() as server:
        runner = BlockRunner(server)
        assert runner.run(Echo, {"text": "x"}).success
        assert server.pid is not None
        (supervisor,) = psutil.Process(server.pid).children()
        timer, send = threading.Timer(0.2, supervisor.kill), Connection.send

        def send_and_kill_later(connection: Connection, message: dict[str, Any]) -> None:
            send(connection, message)
            timer.start()  # not before: the next run would replace a server that has died

        monkeypatch.setattr(Connection, "send", send_and_kill_later)
        # The stop is what a run would wait in; the kill ends it meanwhile.
        supervisor.suspend()
        with pytest.raises(HarnessError, match="the worker was ended by SIGKILL") as caught:
            runner.run(Echo, {"text": "x"})
        timer.join()
        assert caught.value.kind == "server_ended"


def test_a_server_that_does_not_answer_is_ended_and_replaced() -> None:
    with ServerProcess() as server:
        runner = BlockRunner(server)
        assert runner.run(Echo, {"text": "x"}).success
        assert server.pid is not None
        first = psutil.Process(server.pid)
        stuck = first.children()[0]
        stuck.suspend()
        with pytest.raises(HarnessError, match="did not answer in time"):
            server.ask(server.ticket(), {"source": ["blocks.echo"], "block": "neops_base/echo"}, 0.2)
        assert not first.is_running()
        assert not stuck.is_running()
        assert runner.run(Echo, {"text": "x"}).success


def test_a_bad_request_is_answered_and_harms_nothing() -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "supervisor.commands.blockserver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    lines = [
        b"no json",
        b'{"request": "run", "id": 1, "source": [], "block": "echo", "parameters": {"password": "hidden-1"}}',
        b'{"request": "run", "id": 2, "source": ["blocks.echo"], "block": "echo", "parameters": {"text": "x"}}',
    ]
    output, _ = communicate_in_turn(server, lines)
    first, second, third = (json.loads(line) for line in output)
    assert (first["id"], first["error"]["kind"]) == (None, "bad_request")
    assert (second["id"], second["error"]["kind"]) == (1, "bad_request")
    assert "hidden-1" not in output[1].decode()
    assert (third["id"], third["success"]) == (2, True)


def communicate_in_turn(server: subprocess.Popen[bytes], lines: list[bytes]) -> tuple[list[bytes], int]:
    """Send each line after the answer to the one before; return the answers and the exit code."""
    assert server.stdin is not None
    assert server.stdout is not None
    answers = []
    for line in lines:
        server.stdin.write(line + b"\n")
        server.stdin.flush()
        answers.append(server.stdout.readline())
    server.stdin.close()
    code = server.wait(PATIENCE_SECONDS)
    server.stdout.close()
    return answers, code


def test_a_fork_of_the_tests_gets_a_server_of_its_own(tmp_path: Path) -> None:
    program = (
        "import os; from sdk.testing.server import ServerProcess; from sdk.testing import BlockRunner\n"
        "server = ServerProcess(); runner = BlockRunner(server)\n"
        "def go(): assert runner.run('echo', {'text': 'x'}, source='blocks.echo').success; return server.pid\n"
        "first = go(); child = os.fork()\n"
        "if child == 0:\n"
        "    assert go() != first; runner.close(); os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert go() == first; runner.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
