"""Runs changes that go wrong, looks at the device afterwards, and has a later job roll them back."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from sdk.connection import DeviceError
from sdk.testing.loop_thread import LoopThread
from tests.hosting.hosting import Host
from tests.programs.device_faults.change_cases import CHANGE_SECONDS, CONFIRM_SECONDS, LINES, ChangeCase
from tests.programs.device_faults.change_places import Changed
from tests.programs.device_faults.places import emulated
from tests.programs.device_faults.running import JOB_SECONDS

BLOCK: Final = "neops_faults/change"
CONFIGURE: Final = "neops_base/configure"
LATE_SECONDS: Final = 20.0
"""How long after its time a timer may take until the device has its earlier configuration. That of FRR takes a second,
and looks for seven more whether it has worked."""

_PATIENT_SECONDS: Final = 20.0
_OWN: Final = ("dies_after_lines", "drops_after_lines")
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class ChangeSeen:
    """What was observed of one case: its job, the device before and after, and a later job, which rolls it back."""

    case: ChangeCase
    done: dict[str, Any]
    data: dict[str, Any]
    before: str
    after: str
    back_seconds: float | None
    """How long the device had another configuration; None where no timer of the device was to take it back."""
    configured: bool | None
    rolled_back: dict[str, Any]
    after_rollback: str
    strangers: tuple[int, ...]
    secret: str


def run_changes(
    host: Host, loop: LoopThread, cases: Sequence[ChangeCase], at_a_time: int
) -> Iterator[ChangeSeen]:
    """Run each case, some at once."""
    with emulated()(loop) as healthy:
        for start in range(0, len(cases), at_a_time):
            yield from _run_group(host, loop, cases[start : start + at_a_time], healthy | {"id": 2})


def _run_group(
    host: Host, loop: LoopThread, cases: Sequence[ChangeCase], healthy: dict[str, Any]
) -> Iterator[ChangeSeen]:
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(case.place(loop)) for case in cases]
        before = [device.configuration() for device in devices]
        with ThreadPoolExecutor(max_workers=len(cases), thread_name_prefix="until-back") as looks:
            # Beside the jobs: one that takes longer must not count for a device that has long had its text back.
            is_over = threading.Event()
            timed = [
                looks.submit(_until_back, device, text, is_over) if case.after == "timer" else None
                for case, device, text in zip(cases, devices, before, strict=True)
            ]
            try:
                numbers = [
                    _start(host, BLOCK, parameters_of(case), [device.context, healthy], case.limits)
                    for case, device in zip(cases, devices, strict=True)
                ]
                ended = [host.wait(number, JOB_SECONDS + 30) for number in numbers]
            finally:
                is_over.set()
            back = [timing and timing.result() for timing in timed]
        after = [device.configuration() for device in devices]
        configured = [device.configured() for device in devices]
        rolled_back = [
            host.wait(number, JOB_SECONDS + 30) for number in _roll_back(host, cases, devices, healthy)
        ]
        at_last = [device.configuration() for device in devices]
    strangers = tuple(host.ask("processes")["unknown"])
    for index, case in enumerate(cases):
        yield ChangeSeen(
            case,
            ended[index],
            (json.loads(ended[index]["body"] or "{}")).get("data") or {},
            before[index],
            after[index],
            back[index],
            configured[index],
            rolled_back[index],
            at_last[index],
            strangers,
            devices[index].context["password"],
        )


def parameters_of(case: ChangeCase) -> dict[str, Any]:
    """Return the parameters of the case's job."""
    given = {
        # What is tried here is the change itself: on a busy machine a login may be slow.
        "login_timeout_seconds": _PATIENT_SECONDS,
        "read_timeout_seconds": _PATIENT_SECONDS,
        "change_timeout_seconds": CHANGE_SECONDS,
        **case.parameters,
    }
    return given if "template" in given else {"lines": list(LINES)} | given


def _roll_back(
    host: Host, cases: Sequence[ChangeCase], devices: Sequence[Changed], healthy: dict[str, Any]
) -> list[int]:
    numbers = []
    for case, device in zip(cases, devices, strict=True):
        device.heal()
        patient = {"change_timeout_seconds": _PATIENT_SECONDS}
        parameters = {key: value for key, value in parameters_of(case).items() if key not in _OWN} | patient
        context = [device.context, healthy]
        numbers.append(_start(host, CONFIGURE, parameters, context, {}, job_type="rollback"))
    return numbers


def _start(
    host: Host,
    block: str,
    parameters: dict[str, Any],
    devices: list[dict[str, Any]],
    limits: dict[str, Any],
    **options: Any,
) -> int:
    return host.start(
        block,
        parameters=parameters,
        context={"devices": devices, "deviceGroups": [], "interfaces": []},
        run_on="device",
        entity_id=1,
        limits={"max_job_seconds": JOB_SECONDS} | limits,
        **options,
    )


def _until_back(device: Changed, before: str, is_over: threading.Event) -> float:
    """Return for how many seconds a device had another text than before.

    Once the jobs are over, it waits for as long as a timer may take at most. What never had another text took no time.
    """
    changed_at = end = None
    while end is None or time.monotonic() < end:
        if is_over.is_set() and end is None:
            end = time.monotonic() + CONFIRM_SECONDS + 2 * LATE_SECONDS
        with contextlib.suppress(OSError, DeviceError):  # it is looked at again
            is_changed = device.configuration() != before
            if is_changed and changed_at is None:
                changed_at = time.monotonic()
            if not is_changed and (changed_at is not None or is_over.is_set()):
                break
        time.sleep(_LOOK_SECONDS)
    return 0.0 if changed_at is None else time.monotonic() - changed_at
