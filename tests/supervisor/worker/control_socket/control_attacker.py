"""Somebody who knows the secret and asks a control server: prints all that it got, as JSON. `WAY DIRECTORY`."""

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from supervisor.process.kept import KEEPER_NAME

_CLONE_NEWPID = 0x20000000


def asked(directory: Path, secret: str | None = None) -> str:
    """Ask, and return what came back until the end."""
    secret = (directory / "control.secret").read_text() if secret is None else secret
    request = json.dumps({"secret": secret, "command": "echo", "arguments": {"word": "hello"}})
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(directory / "control.sock"))
        with contextlib.suppress(OSError):
            connection.sendall(request.encode() + b"\n")
        got = b""
        try:
            while part := connection.recv(4096):
                got += part
        except ConnectionResetError:
            pass
    return got.decode()


def in_a_child(work: Callable[[], str], *, orphaned: bool = False) -> str:
    """Do it in a child, which has lost its parent where it is `orphaned`."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        parent = os.getpid()
        if orphaned and os.fork() > 0:
            os._exit(0)
        if orphaned:
            os.setsid()
            while os.getppid() == parent:
                time.sleep(0.005)
        os.write(writing, work().encode())
        os._exit(0)
    os.close(writing)
    return os.fdopen(reading).read()


def as_user(uid: int, directory: Path) -> str:
    """Do it as another user."""
    secret = (directory / "control.secret").read_text()

    def become_and_ask() -> str:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        return asked(directory, secret)

    return in_a_child(become_and_ask)


def in_a_group(gid: int, directory: Path, uid: int = 61600) -> str:
    """Do it as another user of this group."""
    secret = (directory / "control.secret").read_text()

    def become_and_ask() -> str:
        os.setgroups([gid])
        os.setgid(uid)
        os.setuid(uid)
        return asked(directory, secret)

    return in_a_child(become_and_ask)


def flood(directory: Path, threads: int) -> str:
    """Connect with many threads, each anew once it is cut off, until the file `calm` is there. Returns at once."""
    if os.fork() > 0:
        return ""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)

    def connect_again_and_again() -> None:
        while True:
            with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
                connection.connect(str(directory / "control.sock"))
                connection.recv(1)

    for _ in range(threads):
        threading.Thread(target=connect_again_and_again, daemon=True).start()
    (directory / "flooded").touch()
    ends_at = time.monotonic() + 600  # later than anybody waits for an answer
    while not (directory / "calm").exists() and time.monotonic() < ends_at:
        time.sleep(0.02)
    os._exit(0)


def below_a_keeper(directory: Path) -> str:
    """Do it as what another worker's keeper has started."""
    from jobrunner.protocol import linux

    def be_a_keeper() -> str:
        linux.set_process_name(KEEPER_NAME)
        return in_a_child(lambda: in_a_child(lambda: asked(directory)))

    return in_a_child(be_a_keeper)


def in_a_pid_namespace(directory: Path) -> str:
    """Do it as the first process of a PID namespace, which has the number 1 there."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWPID) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    return in_a_child(lambda: asked(directory))


def main(way: str, directory: Path) -> str:
    match way.split("="):
        case ["plain"]:
            return asked(directory)
        case ["wrong secret"]:
            return asked(directory, "0" * 64)
        case ["orphaned"]:
            return in_a_child(lambda: asked(directory), orphaned=True)
        case ["user", uid]:
            return as_user(int(uid), directory)
        case ["group", gid]:
            return in_a_group(int(gid), directory)
        case ["group", gid, uid]:
            return in_a_group(int(gid), directory, int(uid))
        case ["flood", threads]:
            return flood(directory, int(threads))
        case ["below a keeper"]:
            return below_a_keeper(directory)
        case ["pid namespace"]:
            return in_a_pid_namespace(directory)
    raise ValueError(way)


if __name__ == "__main__":
    print(json.dumps({"got": main(sys.argv[1], Path(sys.argv[2]))}))
