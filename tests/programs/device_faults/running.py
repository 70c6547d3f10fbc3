"""Running the cases, several at a time, as jobs of a real worker's runner; and how late the machine was meanwhile."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sdk.testing.loop_thread import LoopThread
from tests.hosting.hosting import Host
from tests.programs.device_faults.cases import Case
from tests.programs.device_faults.limits import ASKED, PATIENT_SECONDS
from tests.programs.device_faults.places import emulated

AT_A_TIME: Final = 4
BLOCK: Final = "neops_faults/ask"
JOB_SECONDS: Final = 90.0
_NEXT: Final = {"command": ASKED}


@dataclass(frozen=True, slots=True)
class Form:
    """How a block calls: with `await` or without, and whether it lets the error leave."""

    name: str
    parameters: dict[str, Any]


ASYNC: Final = Form("async", {})
SYNC: Final = Form("sync", {"without_async": True})
ESCAPES: Final = Form("escapes", {"escapes": True})


@dataclass(frozen=True, slots=True)
class Seen:
    """What was observed of one case: its job, what it told, and the plain job that was run after it."""

    case: Case
    form: Form
    done: dict[str, Any]
    data: dict[str, Any]
    next_job: str
    """What came of it: empty where it worked."""
    strangers: tuple[int, ...]
    secrets: tuple[str, ...]


class Lateness:
    """How late a thread of this machine that sleeps wakes up: beside busy processes, everything is as late as that.

    One thread stays on each processor: a host may take one of them away, and the others notice nothing of it.
    """

    _STEP_SECONDS: Final = 0.02

    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._measure, args=(processor,), name="lateness", daemon=True)
            for processor in os.sched_getaffinity(0)
        ]

    def _measure(self, processor: int) -> None:
        os.sched_setaffinity(0, {processor})  # of this thread alone
        while not self._stop.is_set():
            begun = time.monotonic()
            self._stop.wait(self._STEP_SECONDS)
            now = time.monotonic()
            self._seen.append((now, now - begun - self._STEP_SECONDS))

    def between(self, begun: float, ended: float) -> float:
        """Return the sum of the three worst of that time, in seconds: a call waits for several threads."""
        late = sorted((late for at, late in self._seen if begun <= at <= ended + 1), reverse=True)
        return max(0.0, sum(late[:3]))

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """Measure for as long as the context lasts."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


def run_cases(host: Host, loop: LoopThread, cases: Sequence[Case], form: Form) -> Iterator[Seen]:
    """Run each case, `AT_A_TIME` of them at once, and after each group plain jobs on a healthy device."""
    with emulated()(loop) as healthy:
        for start in range(0, len(cases), AT_A_TIME):
            yield from _run_group(host, loop, cases[start : start + AT_A_TIME], form, healthy | {"id": 2})


def _run_group(
    host: Host, loop: LoopThread, cases: Sequence[Case], form: Form, healthy: dict[str, Any]
) -> Iterator[Seen]:
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(case.place(loop)) for case in cases]
        numbers = [
            _start(host, {"command": ASKED} | case.parameters | form.parameters, [device, healthy])
            for case, device in zip(cases, devices, strict=True)
        ]
        ended = [host.wait(number, JOB_SECONDS + 30) for number in numbers]
        next_ones = [_start(host, _NEXT, [healthy | {"id": 1}, healthy]) for _ in cases]
        next_ended = [host.wait(number, JOB_SECONDS + 30) for number in next_ones]
    strangers = tuple(host.ask("processes")["unknown"])
    for case, device, done, after in zip(cases, devices, ended, next_ended, strict=True):
        given = (device.get("password"), *_secrets_in(device))
        secrets = tuple(secret for secret in given if secret)
        next_job = "" if after["cause"] == "completed" else after["message"]
        yield Seen(case, form, done, _data_of(done), next_job, strangers, secrets)


def _secrets_in(device: dict[str, Any]) -> Iterator[str]:
    if "another-8" in str(device.get("connectionOptions")):
        yield "another-8"


def _start(host: Host, parameters: dict[str, Any], devices: list[dict[str, Any]]) -> int:
    limits = {"login_seconds": PATIENT_SECONDS, "command_seconds": PATIENT_SECONDS}
    return host.start(
        BLOCK,
        parameters=limits | parameters,
        context={"devices": devices, "deviceGroups": [], "interfaces": []},
        run_on="device",
        entity_id=1,
        limits={"max_job_seconds": JOB_SECONDS},
    )


def _data_of(done: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = (json.loads(done["body"] or "{}")).get("data") or {}
    return data


def sources() -> list[str]:
    """Where the blocks of this program are."""
    return ["blocks.testing", "blocks.devices", str(Path(__file__).parent / "fault_blocks")]
