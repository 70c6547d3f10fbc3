"""Where the health is served: a port or a socket that is free, and never one of somebody who lives."""

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from supervisor.errors import StartRefusedError
from supervisor.settings.health_address import LoopbackAddress, parse_health_address
from supervisor.worker.health.listener import Listener


def test_a_port_in_use_refuses_the_start_and_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = LoopbackAddress("127.0.0.1", other.getsockname()[1])
        with pytest.raises(StartRefusedError, match=r"another process uses this port\. Stop what uses it"):
            Listener.on(address)


def test_a_port_is_used_again_at_once_after_a_connection_to_it() -> None:
    first = Listener.on(LoopbackAddress("127.0.0.1", 0))
    port = first.socket.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        first.socket.setblocking(True)
        connection, _ = first.socket.accept()
        connection.close()  # this side closes first, and so keeps TIME_WAIT
    first.close()
    second = Listener.on(LoopbackAddress("127.0.0.1", port))
    assert second.address == f"127.0.0.1:{port}"
    second.close()


def test_a_dead_worker_s_socket_is_replaced_and_a_living_one_s_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "health.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    living = Listener.on(path)
    inode = path.stat().st_ino
    with pytest.raises(StartRefusedError, match="another process listens on this socket"):
        Listener.on(path)
    assert path.stat().st_ino == inode
    living.close()
    assert not path.exists()


def test_the_end_of_a_worker_leaves_another_one_s_socket_alone(tmp_path: Path) -> None:
    path = tmp_path / "health.sock"
    first = Listener.on(path)
    path.unlink()
    second = Listener.on(path)
    first.close()
    assert path.exists()
    second.close()


def test_a_group_that_the_worker_may_not_let_in_leaves_the_socket_for_root_and_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chown", refuse)
    path = tmp_path / "health.sock"
    listener = Listener.on(path, os.getegid())
    assert (listener.group, stat.S_IMODE(path.stat().st_mode)) == (None, 0o600)
    assert "SupplementaryGroups=" in str(listener.closed_to_group)
    listener.close()


def test_a_group_that_is_let_in_may_still_meet_a_closed_directory_and_another_address_is_advised(
    tmp_path: Path,
) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    path = tmp_path / "run" / "health.sock"
    listener = Listener.on(path, os.getegid())
    assert (listener.group, stat.S_IMODE(path.stat().st_mode)) == (os.getegid(), 0o660)
    assert "is closed to it" in str(listener.closed_to_group)
    assert "or give another --health-address, and restart" in str(listener.closed_to_group)
    listener.close()


def test_where_the_socket_can_t_be_given_away_for_another_reason_it_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "chown", fail)
    with pytest.raises(StartRefusedError):
        Listener.on(tmp_path / "health.sock", os.getegid())
    assert not (tmp_path / "health.sock").exists()


def test_a_file_in_its_place_and_a_directory_that_others_can_write_refuse_the_start(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(StartRefusedError, match="no socket lies there"):
        Listener.on(file)
    assert file.read_text() == "kept"
    shared = tmp_path / "shared"
    shared.mkdir()
    os.chmod(shared, 0o777)
    with pytest.raises(StartRefusedError, match="others than the worker's user could replace"):
        Listener.on(shared / "health.sock")


def test_a_directory_that_is_not_there_is_named_and_nothing_is_said_of_another_user_of_the_socket(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    for directory in (tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(StartRefusedError) as refused:
            Listener.on(directory / "health.sock")
        assert str(refused.value).endswith(
            f"there is no directory {directory}. Create it, or name a socket in another directory."
        )
    with pytest.raises(StartRefusedError, match=r"Give another --health-address\.$") as refused:
        Listener.on(LoopbackAddress("::2", 9464))  # no address of this machine
    assert "Stop what uses it" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", "127.0.0.1:9464"),
        ("localhost:9464", "127.0.0.1:9464"),
        ("127.1.2.3:0", "127.1.2.3:0"),
        ("[::1]:9464", "[::1]:9464"),
        ("/run/neops/health.sock", "/run/neops/health.sock"),
    ],
)
def test_an_address_is_on_the_loopback_or_in_the_file_system(text: str, address: str) -> None:
    assert str(parse_health_address(text)) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.0.0.0:9464", "from this machine alone"),
        ("192.0.2.1:9464", "put a proxy with TLS"),
        ("[::]:9464", "from this machine alone"),
        ("[::ffff:192.0.2.1]:9464", "from this machine alone"),
        ("worker.example:9464", "must have a number as its host"),
        ("9464", "must be HOST:PORT"),
        (":9464", "must be HOST:PORT"),
        ("127.0.0.1:99999", "must be HOST:PORT"),
        ("127.0.0.1", "must be HOST:PORT"),
        ("run/health.sock", "must be HOST:PORT"),
        ("/" + "x" * 108, "may have 107 bytes"),
    ],
)
def test_an_address_that_others_may_reach_or_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_health_address(text)
