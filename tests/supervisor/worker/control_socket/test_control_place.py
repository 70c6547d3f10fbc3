"""Where the control socket is: a dead worker's is replaced, a living one's never, and no place is too deep."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from supervisor.worker.control_socket import listener as listening_module
from supervisor.worker.control_socket.client import ControlClient, NotAllowedError, NoWorkerError
from supervisor.worker.control_socket.listener import ControlPlaceError, Listening, listen_in
from supervisor.worker.control_socket.place import runtime_directory


@contextmanager
def listening_in(directory: Path) -> Iterator[Listening]:
    listening = listen_in(directory)
    try:
        yield listening
    finally:
        listening.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_socket_and_secret_are_for_their_owner_alone_and_gone_at_the_end(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    before = os.umask(0)
    try:
        with listening_in(directory) as listening:
            assert (mode(directory), mode(directory / "control.sock")) == (0o700, 0o600)
            assert mode(directory / "control.secret") == 0o600
            assert listening.is_in_place
            assert (directory / "control.secret").read_text() not in repr(listening.secret)
    finally:
        os.umask(before)
    assert os.listdir(directory) == []


def test_the_socket_of_a_dead_worker_is_replaced(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "control.sock"))
    dead.close()
    (tmp_path / "control.secret").write_text("an earlier one's")
    with listening_in(tmp_path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "control.sock"))
        assert (tmp_path / "control.secret").read_text() != "an earlier one's"


@pytest.mark.parametrize("can_lock", [True, False])
def test_the_socket_of_a_living_worker_is_not_touched(
    tmp_path: Path, can_lock: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError("not supported")

    if not can_lock:
        monkeypatch.setattr(listening_module.fcntl, "flock", no_locks)
    with listening_in(tmp_path) as first:
        secret = (tmp_path / "control.secret").read_text()
        with pytest.raises(ControlPlaceError, match=r"another worker has .*--runtime-dir"):
            listen_in(tmp_path)
        assert first.is_in_place
        assert (tmp_path / "control.secret").read_text() == secret


def test_a_socket_that_another_has_put_there_is_not_taken_away_at_the_end(tmp_path: Path) -> None:
    with listening_in(tmp_path) as first:
        os.unlink(tmp_path / "control.sock")
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(tmp_path / "control.sock"))
        assert not first.is_in_place
    assert (tmp_path / "control.sock").exists()
    other.close()


def test_a_path_beyond_the_108_bytes_of_an_address_works_for_both_sides(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    with listening_in(deep) as listening, ControlClient(deep)._connected() as client:
        accepted, _ = listening.listener.accept()
        client.sendall(b"x")
        assert accepted.recv(1) == b"x"
        accepted.close()


def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o777)
    with pytest.raises(ControlPlaceError, match="could replace"):
        listen_in(tmp_path)


def test_a_link_in_the_place_of_the_secret_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    (tmp_path / "control.secret").symlink_to(tmp_path / "mine")
    with listening_in(tmp_path):
        assert (tmp_path / "mine").read_text() == "keep"


def test_what_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ControlPlaceError, match="There is no control socket in"):
        listen_in(tmp_path / "file")


def test_a_client_says_which_worker_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NoWorkerError, match=f"No worker listens in {tmp_path}"):
        ControlClient(tmp_path).ask("status")
    with pytest.raises(NoWorkerError):
        ControlClient(tmp_path / "nowhere").ask("status")


def test_a_client_that_may_not_read_the_secret_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_: int) -> str:
        raise PermissionError

    monkeypatch.setattr("supervisor.worker.control_socket.client.read_secret", closed)
    with listening_in(tmp_path), pytest.raises(NotAllowedError, match="as root or as the worker's user"):
        ControlClient(tmp_path).ask("status")


def test_a_client_gives_a_worker_up_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening_in(tmp_path), pytest.raises(NoWorkerError, match="does not answer"):
        ControlClient(tmp_path).ask("status", timeout_seconds=0.05)


def test_the_runtime_directory_is_the_one_given_then_systemd_s_then_below_the_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("supervisor.worker.control_socket.place.of_systemd", "")
    assert runtime_directory(None, Path("/state")) == Path("/state/run")
    monkeypatch.setattr("supervisor.worker.control_socket.place.of_systemd", "/run/one")
    assert runtime_directory(None, Path("/state")) == Path("/run/one")
    assert runtime_directory(Path("/given"), Path("/state")) == Path("/given")


def test_systemd_s_directory_is_known_also_while_the_environment_is_that_of_jobs() -> None:
    """It is looked up in a thread, while the template is started."""
    code = (
        "from pathlib import Path; from supervisor.worker.control_socket.place import runtime_directory; "
        "from supervisor.launcher.environment import starting_for_jobs\n"
        "with starting_for_jobs({}): print(runtime_directory(None, Path('/state')))"
    )
    environment = os.environ | {"RUNTIME_DIRECTORY": "/run/one:/run/two"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "/run/one"
