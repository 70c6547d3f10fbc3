"""The lab as a context manager: it starts the lab, waits for it, and ends it with the process that holds it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from sdk.testing.errors import HarnessError
from sdk.testing.frr_lab import accounts, topology
from sdk.testing.frr_lab.device import LOOPBACK, FrrDevice
from sdk.testing.frr_lab.namespaces import PATH, namespaces, why_not

_HERE: Final = Path(__file__).parent
_START_SECONDS: Final = 240.0
"""How long the start may take. It takes about three seconds, but took more than sixty beside ten busy loops and a whole
test run."""

_END_SECONDS: Final = 10.0
_READ_BYTES: Final = 1 << 16


class FrrLab:
    """Three real routers, `r1 - r2 - r3`, as long as the context lasts. It yields a list of `FrrDevice`.

    Each is FRR with OSPF and BGP, lldpd and sshd, in namespaces of its own. Two accounts may log in, with a password
    that is invented for this lab: `netop` gets a shell, `vty` (`device.vtysh`) FRR's command line. The routers are
    reached at ports of 127.0.0.1. Nothing is written to this machine, and nothing is left if the process that holds
    the lab (`holder_pid`), or this process, is killed::

        with FrrLab() as routers:
            print(routers[0].host, routers[0].port)

    The devices have their routes when the context begins. Raises `HarnessError` if a lab is impossible here
    (`why_not()` says so before), or if it does not start.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._seconds: dict[str, float] = {}

    @property
    def holder_pid(self) -> int:
        """The process that holds the lab: if it ends, the whole lab ends. Raises `HarnessError` if none runs."""
        if self._process is None:
            raise HarnessError("The lab was not started: enter it with `with` first.", kind="no_lab")
        return self._process.pid

    @property
    def seconds(self) -> Mapping[str, float]:
        """How many seconds after the start each thing was there: `ssh`, `ospf` (a route of it), `bgp`."""
        return self._seconds

    def __enter__(self) -> list[FrrDevice]:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> list[FrrDevice]:
        """Start the lab, and wait until each router answers and has the routes of the others."""
        if reason := why_not():
            raise HarnessError(reason, kind="no_lab")
        password = secrets.token_urlsafe(12)
        begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            # Made out here, used in there: a socket stays in the network in which it was made.
            fronts = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in topology.ROUTERS]
            self._process = process = self._begin(fronts)
            devices = [
                FrrDevice(
                    router.number, router.name, LOOPBACK, front.getsockname()[1], accounts.BASH_USER, password
                )
                for router, front in zip(topology.ROUTERS, fronts, strict=True)
            ]
            try:
                self._give(process, _order(password, [front.fileno() for front in fronts]))
                self._wait(process, begun)
            except BaseException:
                self.stop()
                raise
        return devices

    def _begin(self, fronts: list[socket.socket]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # our own words
            # -I: no directory of the author's project, and no settings of the author, hide a standard module.
            [*namespaces(), sys.executable, "-I", "-S", str(_HERE / "inside.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[front.fileno() for front in fronts],
            env={"PATH": PATH, "LANG": "C.UTF-8"},
            cwd="/",
            # Ctrl-C goes only to the program that started this.
            start_new_session=True,
        )

    @staticmethod
    def _give(process: subprocess.Popen[bytes], order: dict[str, Any]) -> None:
        assert process.stdin is not None
        # If the process has ended at once, it says why.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()

    def _wait(self, process: subprocess.Popen[bytes], begun: float) -> None:
        said: list[str] = []
        while (line := self._next_line(process, begun + _START_SECONDS)) is not None:
            try:
                facts: dict[str, Any] = json.loads(line)
            except ValueError:
                said.append(line)
                continue
            if "failed" in facts:
                raise HarnessError(f"The lab did not start: {facts['failed']}", kind="not_started")
            if "ready" in facts:
                return
            self._seconds |= {key.removesuffix("_seconds"): time.monotonic() - begun for key in facts}
        raise HarnessError(f"The lab did not start. It said: {' '.join(said)[-2000:]}", kind="not_started")

    def _next_line(self, process: subprocess.Popen[bytes], end: float) -> str | None:
        """Return the next line that the process prints, `None` if it has ended."""
        assert process.stdout is not None
        news = select.poll()  # `select` itself accepts no descriptor above 1023
        news.register(process.stdout, select.POLLIN)
        while b"\n" not in self._unread:
            if not news.poll(max(0.0, end - time.monotonic()) * 1000):
                there = ", ".join(self._seconds) or "nothing"
                text = f"The lab was not ready within {_START_SECONDS:g} s; so far was there: {there}."
                raise HarnessError(text, kind="not_started")
            # Not by the pipe's own buffer: `poll` does not know what is in it.
            data = os.read(process.stdout.fileno(), _READ_BYTES)
            if not data:
                return None
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode(errors="replace")

    def wait(self) -> None:
        """Wait until the holder has ended, for whatever reason."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """End the lab, and wait until its holder has ended. Does nothing if none runs."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _order(password: str, descriptors: list[int]) -> dict[str, Any]:
    """Return everything that the lab's first process needs to know. It has the password only as a hash."""
    files = {
        "passwd": accounts.passwd(),
        "group": accounts.group(),
        "shadow": accounts.shadow(password),
        "pam-frr": accounts.PAM_OF_VTYSH,
        "links": topology.links_batch(),
    }
    routers: dict[str, Any] = {}
    for router, descriptor in zip(topology.ROUTERS, descriptors, strict=True):
        files[f"{router.name}/etc-frr/frr.conf"] = topology.frr_conf(router)
        files[f"{router.name}/etc-frr/vtysh.conf"] = "service integrated-vtysh-config\n"
        files[f"{router.name}/sshd_config"] = topology.sshd_config(router)
        routers[router.name] = {
            "address": router.management_address,
            "interfaces": router.interfaces,
            "descriptor": descriptor,
        }
    first, last = topology.ROUTERS[0], topology.ROUTERS[-1]
    routes = {
        "ospf": [(first.name, f"{last.loopback}/32"), (last.name, f"{first.loopback}/32")],
        "bgp": [(first.name, last.network), (last.name, first.network)],
    }
    return {
        "scripts": str(_HERE),
        "management": topology.MANAGEMENT,
        "files": files,
        "routers": routers,
        "routes": routes,
    }
