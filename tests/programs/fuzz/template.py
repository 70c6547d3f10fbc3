"""What a template reports, and the births that it announces. It has imported the blocks, so it is not trusted."""

import asyncio
import json
import os
import random
import signal
import socket
import struct
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from jobrunner.protocol.catalogue import Catalogue, ImportProblem
from jobrunner.protocol.entry import Discovery
from jobrunner.protocol.frames import pack
from supervisor.errors import LaunchError, TemplateError
from supervisor.launcher import fork_requests, importer
from supervisor.launcher.interface import Imports
from supervisor.launcher.template import TemplateLauncher
from supervisor.process.memory import Inherited
from tests.programs.fuzz.fakes import block_entry
from tests.programs.fuzz.fuzzer import Fuzzer
from tests.programs.fuzz.measuring import not_measured
from tests.programs.fuzz.mutating import INTEGERS, any_value, as_json, mutate, nested, some_bytes

_PID = 2**22 + 1  # above what the kernel gives out
_FITTING = [number for number in INTEGERS if -(2**31) <= number < 2**31]


class TemplateReports(Fuzzer):
    """Both sockets of a template, by turns."""

    async def check(self, rng: random.Random) -> None:
        """See `Fuzzer.check`."""
        if rng.random() < 0.5:
            with not_measured():
                report = _report(rng)
            await check_report(report)
        else:
            await check_births(_child_starts(rng))


def _report(rng: random.Random) -> bytes:
    catalogue = json.loads(Catalogue(blocks=(block_entry(),)).to_json())
    frames = [
        pack(b'{"type":"importing","module":"m"}'),
        pack(as_json(rng, nested(rng, {"type": "importing", "module": "m", "file": None}))),
        pack(as_json(rng, {"type": "catalogue"}), as_json(rng, nested(rng, catalogue))),
        pack(b'{"type":"catalogue"}', as_json(rng, nested(rng, catalogue))),
        some_bytes(rng),
    ]
    sent = b"".join(rng.choices(frames, k=rng.choice((1, 2, 3))))
    return mutate(rng, sent) if rng.random() < 0.2 else sent


async def check_report(sent: bytes) -> Catalogue | ImportProblem | None:
    """Follow the report of a template to a catalogue, a problem or the one error that stands for the rest."""
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)

    async def end() -> None: ...

    async def end_by_itself(bound_seconds: float) -> str:
        return "exit code 0"

    fake: Any = SimpleNamespace(
        report=near, pid=_PID, output=SimpleNamespace(tail=lambda: ""), end=end, end_by_itself=end_by_itself
    )
    following = asyncio.ensure_future(importer._follow(fake, 10.0))
    await asyncio.get_running_loop().sock_sendall(far, sent)
    far.close()
    try:
        outcome = await following
    except TemplateError:
        return None
    assert isinstance(outcome, Catalogue | ImportProblem)
    str(outcome).encode()
    return outcome


def _child_starts(rng: random.Random) -> list[bytes]:
    born = struct.pack(
        "=Qii",
        rng.choice((1, 2, 99, 2**64 - 1)),
        rng.choice((0, _PID, 1, -1, os.getpid(), *_FITTING)),
        rng.choice((0, 0, *_FITTING)),
    )
    return [
        rng.choice((born, mutate(rng, born), some_bytes(rng), as_json(rng, any_value(rng))))[:4000] or b"x"
        for _ in range(rng.choice((1, 2, 4)))
    ]


async def check_births(sent: list[bytes]) -> None:
    """Hear births. Only what can be a child of this process may ever be signalled."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near.setblocking(False)
    launcher = TemplateLauncher(Imports(Discovery(()), {}))
    fake: Any = SimpleNamespace(control=near, pid=_PID, reap=lambda: "exit code 0", inherited=Inherited())
    requests = [launcher._requests.begin(fake, is_own_child=is_own_child) for is_own_child in (False, True)]
    launcher._template = fake
    signalled: list[int] = []
    with near, far, _no_signals(signalled):
        for message in sent:
            far.send(message)
        launcher.drain_starts()
        launcher._tasks.cancel()
        launcher.drain_starts()
    for born in (request.started for request in requests):
        if born.done() and born.exception() is None:
            assert 1 < born.result() <= 2**22 + 1, f"a child with the pid {born.result()}"
        elif born.done():
            assert isinstance(born.exception(), LaunchError)
    assert all(1 < pid <= 2**22 + 1 and pid != os.getpid() for pid in signalled), f"a signal to {signalled}"


@contextmanager
def _no_signals(signalled: list[int]) -> Any:
    """Write down whom the launcher would signal or wait for. Nobody is."""

    def kill(pid: int, number: int) -> None:
        assert number == signal.SIGKILL
        signalled.append(pid)
        raise ProcessLookupError

    def waitpid(pid: int, options: int) -> tuple[int, int]:
        raise ChildProcessError

    stand_in = SimpleNamespace(**{**vars(os), "kill": kill, "waitpid": waitpid})
    with patch.object(fork_requests, "os", stand_in):
        yield
