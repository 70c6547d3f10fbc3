"""The groups of changes that go wrong: on emulated devices and, where there can be a lab, on real routers."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console

from sdk.testing.frr_lab import FrrLab, why_not
from sdk.testing.loop_thread import LoopThread
from tests.hosting.hosting import Host
from tests.programs.device_faults.change_cases import ON_IOS, ChangeCase, on_frr
from tests.programs.device_faults.change_judging import ChangeRow, judge_change, table_of_changes
from tests.programs.device_faults.change_running import run_changes
from tests.programs.device_faults.running import Lateness
from tests.programs.device_faults.worker_killed import CASE, kill_worker

_IOS_AT_A_TIME: Final = 6
_FRR_AT_A_TIME: Final = 3
"""As many as there are routers."""


def run_change_groups(
    host: Host, loop: LoopThread, console: Console, lateness: Lateness, only: Sequence[str]
) -> list[ChangeRow]:
    """Run the cases whose names have one of the parts `only`, all by default, and print their tables."""
    rows: list[ChangeRow] = []

    def run(title: str, cases: Sequence[ChangeCase], at_a_time: int) -> None:
        wanted = [case for case in cases if not only or any(part in case.name for part in only)]
        if wanted:
            new = [judge_change(seen, lateness) for seen in run_changes(host, loop, wanted, at_a_time)]
            console.print(table_of_changes(title, new))
            rows.extend(new)

    run("change", ON_IOS, _IOS_AT_A_TIME)
    if not only or any(part in CASE.name for part in only):
        killed = judge_change(kill_worker(loop), lateness)
        console.print(table_of_changes("change, and the end of the worker", [killed]))
        rows.append(killed)
    if only and not any(part in case.name for part in only for case in on_frr(())):
        return rows
    if reason := why_not():
        console.print(f"note: changes on FRR were not run: {reason}", highlight=False)
        return rows
    with FrrLab() as routers:
        run("change, on real FRR", on_frr(routers), _FRR_AT_A_TIME)
    return rows
