"""Who is let in at the control socket, and that nobody else learns anything: real processes, users and namespaces."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import control_host
import pytest
from control_attacker import asked

from supervisor.worker.control_socket.client import ControlClient
from tests.patience import PATIENCE_SECONDS, wait_until

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
ATTACKER = str(HERE / "control_attacker.py")


class Host:
    """A control server in a process of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.began = time.monotonic()
        self._log = (directory / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "control_host.py"), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", self.log()

    def log(self) -> str:
        return (self.directory / "log").read_text()

    def below(self, way: str) -> str:
        """What somebody got whom the server's own process has started."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([sys.executable, ATTACKER, way, str(self.directory)]) + "\n")
        self.process.stdin.flush()
        return str(json.loads(self.process.stdout.readline())["got"])

    def beside(self, way: str) -> str:
        """What somebody got who was started by somebody else."""
        ended = subprocess.run(
            [sys.executable, ATTACKER, way, str(self.directory)],
            capture_output=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            text=True,
            check=True,
            timeout=PATIENCE_SECONDS,
        )
        return str(json.loads(ended.stdout)["got"])

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()
        self._log.close()


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    # Not pytest's own: each start of a pytest, such as one that a test starts, closes that one to other users.
    with tempfile.TemporaryDirectory(prefix="neops-control-", dir="/tmp") as directory:  # a short path
        os.chmod(directory, 0o755)  # for the other users
        host = Host(Path(directory))
        yield host
        host.end()


ANSWERED = '"said":"hello"'


def test_a_process_of_the_owner_that_knows_the_secret_is_answered(host: Host) -> None:
    assert ANSWERED in host.beside("plain"), host.log()


def test_who_does_not_know_the_secret_gets_no_byte(host: Host) -> None:
    assert host.beside("wrong secret") == ""


@pytest.mark.parametrize("way", ["plain", "orphaned"])
def test_what_the_supervisor_has_started_gets_no_byte_even_with_the_secret(host: Host, way: str) -> None:
    assert host.below(way) == ""


@pytest.mark.needs("mounts of root", "other users")
@pytest.mark.parametrize("way", ["pid namespace", f"user={os.geteuid()}"])
def test_a_descendant_that_hides_gets_no_byte(host: Host, way: str) -> None:
    assert host.below(way) == ""


@pytest.mark.needs("mounts of root", "other users")
def test_a_user_of_the_jobs_gets_no_byte_wherever_it_was_started(host: Host) -> None:
    uid = control_host.JOB_USERS[1]
    for way in (f"user={uid}", f"group={control_host.CONTROL_GROUP}={uid}"):
        assert (host.beside(way), host.below(way)) == ("", "")


@pytest.mark.needs("mounts of root", "other users")
def test_another_user_gets_no_byte_and_one_of_the_configured_group_is_answered(host: Host) -> None:
    assert host.beside("user=61500") == ""
    assert ANSWERED in host.beside(f"group={control_host.CONTROL_GROUP}"), host.log()
    assert host.below(f"group={control_host.CONTROL_GROUP}") == ""


def test_a_connection_whose_maker_has_ended_gets_no_byte(host: Host) -> None:
    """Its number may be another's by now: what was proven of that one says nothing about who holds the connection."""
    host.process.send_signal(signal.SIGSTOP)  # so that it looks only when the maker is gone
    try:
        kept, given = socket.socketpair()
        maker = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _CONNECT_AND_GIVE,
                str(host.directory / "control.sock"),
                str(given.fileno()),
            ],
            pass_fds=[given.fileno()],
        )
        _, (descriptor, *_), _, _ = socket.recv_fds(kept, 1, 1)
        # Not waited for: a zombie still has its number and its parents.
        os.waitid(os.P_PID, maker.pid, os.WEXITED | os.WNOWAIT)
    finally:
        host.process.send_signal(signal.SIGCONT)
    with socket.socket(fileno=descriptor) as connection:
        connection.settimeout(PATIENCE_SECONDS)
        secret = (host.directory / "control.secret").read_text()
        request = {"secret": secret, "command": "echo", "arguments": {"word": "hello"}}
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            assert connection.recv(100) == b""
        except (BrokenPipeError, ConnectionResetError):
            pass
    kept.close()
    given.close()
    maker.wait()


_CONNECT_AND_GIVE = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
socket.send_fds(socket.socket(fileno=int(sys.argv[2])), [b"x"], [connection.fileno()])
"""


def test_refusals_are_told_once_a_minute_and_counted_at_the_end(host: Host) -> None:
    for _ in range(2):
        host.beside("wrong secret")
    wait_until(lambda: "refused at the control socket" in host.log(), "it is told")
    minutes = (time.monotonic() - host.began) / 60  # of all tests here so far
    assert host.log().count("refused at the control socket") <= 1 + minutes


@pytest.mark.needs("mounts of root", "other users")
def test_a_flood_of_refused_connections_leaves_others_their_turn(host: Host) -> None:
    flood = subprocess.Popen(
        [sys.executable, "-c", _FLOOD, str(host.directory / "control.sock")], stdout=subprocess.PIPE
    )
    try:
        assert flood.stdout is not None
        assert flood.stdout.readline() == b"refused\n"
        assert ANSWERED in asked(host.directory)
    finally:
        flood.kill()
        flood.communicate()


def test_a_job_that_connects_with_hundreds_of_threads_keeps_nobody_out(host: Host) -> None:
    host.below("flood=250")
    try:
        wait_until((host.directory / "flooded").exists, "the flood is there")
        client = ControlClient(host.directory)
        for _ in range(5):  # each while the flood goes on: who is let in waits for a part of it only
            answer = client.ask("echo", timeout_seconds=PATIENCE_SECONDS, word="hello")
            assert answer["said"] == "hello"
    finally:
        (host.directory / "calm").touch()


def test_a_job_of_another_worker_of_the_same_user_gets_no_byte(host: Host) -> None:
    assert host.beside("below a keeper") == ""


_FLOOD = """
import os, socket, sys
os.setuid(61000)
is_told = False
while True:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(sys.argv[1])
        connection.recv(1)
        if not is_told:
            is_told = True
            print("refused", flush=True)
    except OSError:
        pass
    connection.close()
"""
