"""Jobs thought of by somebody who knew the decisions and not the source."""

import array
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import platform
import signal
import socket
import struct
import time
from pathlib import Path

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

from .attacking import CHANNEL, attacking, send, send_outcome

_CLONE_PARENT = 0x8000
_NEW_USER, _NEW_PID = 0x10000000, 0x20000000
_SETSIG = 10
_SET_CHILD_SUBREAPER = 36
_NUMBERS = {
    "x86_64": {"pidfd_getfd": 438, "pidfd_open": 434, "clone": 56, "setpgid": 109},
    "aarch64": {"pidfd_getfd": 438, "pidfd_open": 434, "clone": 220, "setpgid": 154},
}[platform.machine()]
_libc = ctypes.CDLL(None, use_errno=True)


class OutsiderParams(FunctionBlockParams):
    """Which attack, and what it is given."""

    attack: str = Field(description="Its name")
    place: str = Field(default="", description="A directory of the attack's own")
    other: str = Field(default="", description="Whatever else it needs to know")
    seconds: float = Field(default=3.0, description="How long it goes on")


class OutsiderResult(FunctionBlockResultData):
    """What it has seen."""

    seen: str


@register_function_block(
    attacking(
        "outsider",
        "Does what somebody has thought of who did not know the source",
        OutsiderParams,
        OutsiderResult,
    )
)
class Outsider(FunctionBlock[OutsiderParams, OutsiderResult]):
    """Does what somebody has thought of who did not know the source."""

    async def run(
        self, params: OutsiderParams, context: WorkflowContext
    ) -> FunctionBlockResult[OutsiderResult]:
        seen = getattr(self, params.attack)(params)
        return FunctionBlockResult(success=True, message="Done", data=OutsiderResult(seen=str(seen)))

    def raw(self, params: OutsiderParams) -> None:
        """Send an outcome whose body is what was given; `PAD` in it becomes 40 KB."""
        body = params.other.replace("PAD", "p" * 40_000)
        _outcome(body.encode("utf-8", "surrogatepass"))

    def descriptors(self, params: OutsiderParams) -> str:
        """Send descriptors to the supervisor with every frame."""
        try:
            channel = socket.socket(fileno=os.dup(CHANNEL))
        except OSError as error:
            return f"no socket: {error}"
        channel.setblocking(True)
        header = json.dumps({"type": "log", "level": 30, "logger": "b", "text": "x", "created": 0.0}).encode()
        frame = struct.pack("!II", len(header), 0) + header
        null = [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]
        sent = 0
        for _ in range(40):
            try:
                n = channel.sendmsg([frame], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", null))])
                if n < len(frame):
                    channel.sendall(frame[n:])
                sent += 200
            except OSError as error:
                return f"{sent} sent, then {error}"
        Path(params.place, "sent").touch()
        while not Path(params.place, "go").exists():
            time.sleep(0.02)
        return f"{sent} sent"

    def lingering(self, params: OutsiderParams) -> str:
        """Send connections that nobody can close at once to the control socket, and then to the supervisor."""
        others = _send_lingering_connection(params)
        near, other = _lingering_connection(params.seconds)
        Path(params.place, "sent").touch()
        channel = socket.socket(fileno=os.dup(CHANNEL))
        channel.setblocking(True)
        socket.send_fds(channel, [b"x"], [near.fileno()])
        near.close()
        time.sleep(params.seconds)
        return f"{others}, {other}"

    def lingering_refused(self, params: OutsiderParams) -> str:
        """Send connections that nobody can close at once to a socket that refuses jobs, and go on."""
        far = _send_lingering_connection(params)
        Path(params.place, "sent").touch()
        time.sleep(params.seconds)
        return str(far)

    def lingering_urgently(self, params: OutsiderParams) -> str:
        """Send one to the supervisor with an urgent byte, which a reader does not get, nor what comes with it."""
        near, far = _lingering_connection(params.seconds)
        channel = socket.socket(fileno=os.dup(CHANNEL))
        channel.setblocking(True)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [near.fileno()]))
        Path(params.place, "sent").touch()
        try:
            channel.sendmsg([b"x"], [rights], socket.MSG_OOB)
        except OSError as error:
            return f"no urgent byte: {error}"
        near.close()
        time.sleep(params.seconds)
        return str(far)

    def hold_pipe(self, params: OutsiderParams) -> str:
        """Print, and hold the lock of the pipe that the supervisor then reads, as long as it can."""
        signal.alarm(60)  # a supervisor that hangs in front of the lock can't end this, nor be ended
        near, _far = socket.socketpair()
        told = []
        for move in (
            lambda: os.splice(near.fileno(), 1, 100),
            lambda: os.sendfile(1, near.fileno(), None, 100),
            lambda: os.sendfile(2, os.openpty()[1], None, 100),
        ):
            os.write(1, b"x\n" * 1000)
            os.write(2, b"x\n" * 1000)
            try:
                told.append(str(move()))
            except OSError as error:
                told.append(errno.errorcode[error.errno or 0])
        return " ".join(told)

    def groups(self, params: OutsiderParams) -> str:
        """Ask to change groups, from 13 processes, and be interrupted all the time."""
        end = time.monotonic() + params.seconds
        asked = 0
        for number in range(12):
            if os.fork() == 0:
                signal.signal(signal.SIGALRM, lambda *_: None)
                signal.setitimer(signal.ITIMER_REAL, 0.0005 * (1 + number), 0.0007)
                while time.monotonic() < end:
                    for _ in range(50):
                        _libc.syscall(_NUMBERS["setpgid"], 0, 0)
                os._exit(0)
        while time.monotonic() < end:
            _libc.syscall(_NUMBERS["setpgid"], 0, 0)
            asked += 1
        return str(asked)

    def namespace(self, params: OutsiderParams) -> str:
        """Leave a process in a namespace of processes of its own, which changes its session and writes."""
        if os.fork() == 0:
            if _libc.unshare(_NEW_USER | _NEW_PID) and _libc.unshare(_NEW_PID):
                Path(params.place, "cannot").touch()
                os._exit(0)
            if os.fork() == 0:  # the namespace's init
                os.setsid()
                for _ in range(3):
                    if os.fork() == 0:
                        os.setsid()
                        if os.fork() == 0:
                            _write_on(params)
                        os._exit(0)
                time.sleep(60)
            os._exit(0)
        while not Path(params.place, "written").exists() and not Path(params.place, "cannot").exists():
            time.sleep(0.02)
        return "cannot" if Path(params.place, "cannot").exists() else "ok"

    def signals(self, params: OutsiderParams) -> str:
        """Have the kernel signal the supervisor: owner of a descriptor, and a child's signal at its end."""
        own: list[int] = []
        signal.signal(signal.SIGUSR1, lambda number, _: own.append(number))
        told = []
        for owner, number in (
            (os.getpid(), signal.SIGUSR1), (os.getppid(), 0), (os.getppid(), signal.SIGKILL),
            (os.getppid(), signal.SIGTERM), (os.getppid(), signal.SIGSTOP),
        ):  # fmt: skip
            near, far = socket.socketpair()
            try:
                fcntl.fcntl(near, fcntl.F_SETOWN, owner)
                fcntl.fcntl(near, _SETSIG, int(number))
                fcntl.fcntl(near, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
                far.send(b"x")
                told.append(f"{int(number)} was asked for")
            except OSError as error:
                told.append(f"{int(number)}: errno {error.errno}")
        told.insert(0, f"itself: {len(own)}")
        for number in (signal.SIGKILL, signal.SIGTERM):
            if _libc.syscall(_NUMBERS["clone"], _CLONE_PARENT | int(number), 0, 0, 0, 0) == 0:
                _libc._exit(0)
        # One whose parent ends before it does, so that it became the supervisor's where this is not refused.
        _libc.prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        if os.fork() == 0:
            if _libc.syscall(_NUMBERS["clone"], int(signal.SIGKILL), 0, 0, 0, 0) == 0:
                time.sleep(0.3)
                _libc._exit(0)
            os._exit(0)
        time.sleep(0.6)
        return "; ".join(told)

    def steal_channel(self, params: OutsiderParams) -> str:
        """Take the channel of the job with this number, and send an outcome in its name."""
        pid = int(Path(params.place, "pid").read_text())
        told = []
        pidfd = _libc.syscall(_NUMBERS["pidfd_open"], pid, 0)
        fd = _libc.syscall(_NUMBERS["pidfd_getfd"], pidfd, CHANNEL, 0)
        told.append(f"getfd {fd} {ctypes.get_errno()}")
        if fd >= 0:
            os.dup2(fd, 90)
            _outcome(b'{"data":{"seen":"forged"}}', end=False, channel=90)
        for name in ("fd/1", "fd/2", "fd/3", "mem"):
            try:
                out = os.open(f"/proc/{pid}/{name}", os.O_WRONLY | os.O_NONBLOCK)
                told.append(f"{name} open")
                if name != "mem":
                    os.write(out, b"forged line\n")
            except OSError as error:
                told.append(f"{name} {error.errno}")
        return "; ".join(told)

    def victim(self, params: OutsiderParams) -> str:
        """Tell its number, and wait."""
        Path(params.place, "new").write_text(str(os.getpid()))
        Path(params.place, "new").rename(Path(params.place, "pid"))
        end = time.monotonic() + params.seconds
        while time.monotonic() < end and not Path(params.place, "go").exists():
            time.sleep(0.02)
        return "honest"

    def deaf(self, params: OutsiderParams) -> str:
        """Hear no signal, log without end, ask for groups, and make others that do so."""
        signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)))
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                while True:
                    _libc.syscall(_NUMBERS["setpgid"], 0, 0)
                    os.write(1, b"deaf\n")
        log = {"type": "log", "level": 30, "logger": "b", "text": "deaf " * 100, "created": 0.0}
        Path(params.place, f"on{os.getpid()}").touch()
        while True:
            send(log)

    def after(self, params: OutsiderParams) -> None:
        """Send an outcome and stop itself; a descendant writes on."""
        if os.fork() == 0:
            os.setsid()
            _write_on(params)
        while not Path(params.place, "written").exists():
            time.sleep(0.02)
        _outcome(b'{"data":{"seen":"first"}}', end=False)
        _outcome(b'{"data":{"seen":"second"}}', end=False)
        os.kill(os.getpid(), signal.SIGSTOP)


def _lingering_connection(seconds: float) -> tuple[socket.socket, socket.socket]:
    """Return a connection whose second end takes nothing, so that who closes the first one waits so long."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    near.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            near.send(bytes(2**20))
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, int(seconds)))
    return near, far


def _send_lingering_connection(params: OutsiderParams) -> socket.socket:
    """Send its first end to the socket at `params.other`, and return the second one."""
    near, far = _lingering_connection(params.seconds)
    for _ in range(100):
        # Whoever refuses it may come first.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as peer:
            peer.connect(params.other)
            socket.send_fds(peer, [b"x"], [near.fileno()])
    near.close()
    return far


def _write_on(params: OutsiderParams) -> None:
    end = time.monotonic() + 60
    with (Path(params.place) / "written").open("ab", buffering=0) as file:
        while time.monotonic() < end:
            file.write(b"x")
            time.sleep(0.02)
    os._exit(0)


def _outcome(body: bytes, *, end: bool = True, channel: int = CHANNEL) -> None:
    try:
        send_outcome(body, channel)
    except OSError:
        os._exit(0)
    if end:
        os._exit(0)
