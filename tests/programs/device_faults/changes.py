"""The groups of changes that go wrong: on emulated devices and, where there can be a lab, on real routers."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from rich.console import Console

from sdk.testing.frr_lab import FrrDevice, FrrLab, why_not
from sdk.testing.loop_thread import LoopThread
from tests.hosting.hosting import Host
from tests.programs.device_faults.change_cases import ON_IOS, ChangeCase, on_frr
from tests.programs.device_faults.change_judging import ChangeRow, judge_change, table_of_changes
from tests.programs.device_faults.change_running import ChangeSeen, run_changes
from tests.programs.device_faults.running import Lateness
from tests.programs.device_faults.worker_killed import CASE, kill_worker

_IOS_AT_A_TIME: Final = 9
_FRR_AT_A_TIME: Final = 3
"""As many as there are routers."""


def run_change_groups(
    host: Host, loop: LoopThread, console: Console, lateness: Lateness, only: Sequence[str]
) -> list[ChangeRow]:
    """Run the cases whose names have one of the parts `only`, all by default, and print their tables.

    The routers start, and a worker is killed, beside the cases on emulated devices.
    """
    begun, rows = time.monotonic(), []

    def wanted(cases: Sequence[ChangeCase]) -> list[ChangeCase]:
        return [case for case in cases if not only or any(part in case.name for part in only)]

    def show(title: str, seen: Sequence[ChangeSeen]) -> None:
        new = [judge_change(each, lateness) for each in seen]
        if new:
            console.print(table_of_changes(title, new))
            rows.extend(new)

    with ThreadPoolExecutor(2) as beside, _routers(beside, bool(wanted(on_frr(()))), console) as routers:
        killed = [beside.submit(kill_worker, loop) for _ in wanted([CASE])]
        show("change", list(run_changes(host, loop, wanted(ON_IOS), _IOS_AT_A_TIME)))
        show("change, and the end of the worker", [each.result() for each in killed])
        if routers is not None:
            on_routers = wanted(on_frr(routers.result()))
            show("change, on real FRR", list(run_changes(host, loop, on_routers, _FRR_AT_A_TIME)))
    if rows:
        console.print(f"{len(rows)} changes, {time.monotonic() - begun:.0f} s", highlight=False)
    return rows


@contextlib.contextmanager
def _routers(
    beside: ThreadPoolExecutor, are_wanted: bool, console: Console
) -> Iterator[Future[list[FrrDevice]] | None]:
    """Start the lab, and end it when the context is left. None where it is not wanted, or there can be none."""
    if not are_wanted:
        yield None
    elif reason := why_not():
        console.print(f"note: changes on FRR were not run: {reason}", highlight=False)
        yield None
    else:
        lab = FrrLab()
        try:
            yield beside.submit(lab.start)
        finally:
            lab.stop()
