"""The rehearsal: a job of nobody's that makes the first real one faster, and leaves nothing behind."""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hosting import Host, hosted

from jobrunner import child, rehearsal
from jobrunner.protocol.entry import Descriptors
from jobrunner.rehearsal import rehearse
from sdk import masking
from sdk.block_registry import registry
from sdk.connection import places
from sdk.connection.changes import record
from sdk.known_hosts import known_hosts
from tests.jobrunner.isolation.apart import in_a_fork


def what_a_job_finds() -> dict[str, Any]:
    """What code of a block could meet, each as something that can be compared."""
    root = logging.getLogger()
    return {
        "handlers of logging": [str(each) for each in root.handlers],
        "levels of logging": (root.level, logging.root.manager.disable, logging.raiseExceptions),
        "filters of warnings": [str(each) for each in warnings.filters],
        "warnings go to logging": warnings.showwarning.__module__,
        "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook, sys.gettrace(), sys.getprofile()),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "environment": dict(os.environ),
        "place of temporary files": (tempfile.tempdir, Path.cwd()),
        "threads": [thread.name for thread in threading.enumerate()],
        "descriptors": sorted(os.listdir("/proc/self/fd")),
        "event loop": asyncio._get_running_loop(),
        "collector": (gc.isenabled(), gc.get_threshold(), gc.callbacks[:]),
        "blocks": dict(registry.function_blocks),
        "host keys": known_hosts(),
        "told of secrets": masking._in_force.tell("x" * 10),
        "names of secrets": masking.is_secret_name("rehearsal"),
        "places on devices": places._in_force,
        "told of changes": record._report,
    }


def changes(of: Callable[[], object]) -> dict[str, Any]:
    """What is another when `of` was called."""
    before = what_a_job_finds()
    of()
    after = what_a_job_finds()
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


@pytest.mark.parametrize("times", [1, 12])
def test_a_rehearsal_leaves_nothing_that_a_job_could_find(times: int) -> None:
    def work() -> list[str]:
        rehearse()  # imports what is imported late
        return [str(changes(lambda: [rehearse() for _ in range(times)]))]

    assert in_a_fork(work) == ["{}"]


def test_what_a_job_finds_tells_of_what_a_rehearsal_could_leave() -> None:
    def leave() -> None:
        logging.getLogger().addHandler(logging.NullHandler())
        warnings.filterwarnings("ignore", message="of a rehearsal")
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        os.dup(1)
        record.report_changes(print)

    def work() -> list[str]:
        return sorted(changes(leave))

    expected = ["descriptors", "filters of warnings", "handlers of logging", "signals", "told of changes"]
    assert in_a_fork(work) == expected


def test_the_rehearsal_runs_a_whole_job_that_ticks_to_its_success() -> None:
    def work() -> list[str]:
        sent: list[bytes] = []
        whole = rehearsal.Channel

        class Watched(whole):  # type: ignore[misc, valid-type]
            def send(self, header: Any, payload: bytes = b"") -> None:
                sent.append(
                    f"{header.type} {getattr(header, 'success', '')}".strip().encode() + b" " + payload
                )
                super().send(header, payload)

            def send_if_room(self, header: Any) -> bool:
                sent.append(header.type.encode())
                return bool(super().send_if_room(header))

        rehearsal.Channel = Watched  # type: ignore[misc]  # of this fork only
        rehearse()
        return [each.decode() for each in sent]

    assert in_a_fork(work) == ["log ", "tick", 'outcome True {"data":{"text":"rehearsal"}}']


def test_without_descriptors_for_it_there_is_no_rehearsal_and_no_failure() -> None:
    def work() -> list[str]:
        hard, open_before = resource.getrlimit(resource.RLIMIT_NOFILE)[1], len(os.listdir("/proc/self/fd"))
        seen: list[str] = []
        # The first room is enough for nothing, others for a channel and not for a loop, the last for all of it.
        for limit in range(3, open_before + 20):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            seen.append(str(rehearse()))
        return seen

    assert set(in_a_fork(work)) == {"None"}


def test_an_event_loop_that_a_module_has_broken_ends_no_rehearsal() -> None:
    def work() -> list[str]:
        def broken() -> None:
            raise RuntimeError("a policy of a module's own")

        asyncio.new_event_loop = broken  # type: ignore[assignment]  # of this fork only
        asyncio.events.new_event_loop = broken  # type: ignore[assignment]
        return [str(rehearse())]

    assert in_a_fork(work) == ["None"]


@pytest.mark.parametrize("rehearses", [True, False])
def test_a_child_rehearses_where_it_is_asked_to(rehearses: bool) -> None:
    read, write = os.pipe()
    ours, theirs = socket.socketpair()
    theirs.close()  # no order comes: the child ends

    def live() -> None:
        child.rehearse = lambda: os.write(write, b"rehearsed")  # of this fork only
        isolation: Any = None
        child.live(Descriptors(ours.detach(), 1, 2, 2), None, isolation, rehearses=rehearses)

    if (pid := os.fork()) == 0:
        try:
            live()
        finally:
            os._exit(1)
    os.close(write)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    with open(read, "rb") as told:
        assert told.read() == (b"rehearsed" if rehearses else b"")
    ours.close()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with hosted(tmp_path_factory.mktemp("host")) as one:
        yield one


def test_nobody_hears_of_a_rehearsal(host: Host) -> None:
    assert "rehearsal" not in str(host.run("leave_behind"))
    assert not any("rehearsal" in block for block in host.blocks)
    assert "rehearsal" not in host.log().lower()
