"""A device at the end of a cable that is cut: a network namespace of its own, whose interface goes down (as root).

The front of an emulated device goes silent too, but its kernel still takes what is sent. Here nothing takes it.
"""

import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sdk.testing.loop_thread import LoopThread
from tests.programs.device_faults.limits import ASKED

_ROOT: Final = Path(__file__).parents[3]
_numbers = itertools.count()


def why_not() -> str:
    """Why there can be no namespace here; empty where there can."""
    if os.geteuid() != 0:
        return "a cut cable needs root, for a network namespace"
    try:
        done = subprocess.run(
            ["unshare", "--net", "ip", "link", "show", "lo"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except OSError as error:
        return str(error)
    return done.stderr.strip() if done.returncode else ""


@contextlib.contextmanager
def cut_cable(_loop: LoopThread) -> Iterator[dict[str, Any]]:
    """The device of a job: reached over a cable that is cut when the device gets the command."""
    number = next(_numbers)
    name = f"neops-df-{os.getpid() % 100000}-{number}"
    ours, theirs = f"df{os.getpid() % 100000}-{number}", "eth0"
    near, far = f"198.18.{number % 250}.1", f"198.18.{number % 250}.2"  # RFC 2544: for tests of networks
    with contextlib.ExitStack() as stack:
        _ip("netns", "add", name)
        stack.callback(_ip, "netns", "del", name)
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        # Before the namespace, whose end is not waited for: the name is free at once.
        stack.callback(_ip, "link", "del", ours)
        _ip("address", "add", f"{near}/30", "dev", ours)
        _ip("link", "set", ours, "up")
        _ip("-n", name, "address", "add", f"{far}/30", "dev", theirs)
        _ip("-n", name, "link", "set", theirs, "up")
        command = [
            "ip",
            "netns",
            "exec",
            name,
            sys.executable,
            "-m",
            "tests.programs.device_faults.behind_cable",
        ]
        process = subprocess.Popen(
            [*command, far, theirs, ASKED],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(_end, process)
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=20)


def _end(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(20)
    finally:
        process.kill()
        process.stdout.close()
