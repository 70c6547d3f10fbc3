"""`python -m tests.programs.bench.floor.forks BLOCKS`: forks of a template such as the worker's, and nothing else.

No supervisor, engine, journal, network, watch, limit, or isolation: what the kernel and Python take for a job in a
fresh process, whoever starts it. Writes a line of JSON: for each case its forks, in turn with those of the other.
"""

import contextlib
import gc
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from typing import Final, NoReturn

from jobrunner.discovery import discover
from jobrunner.heap import freeze
from jobrunner.protocol.entry import Discovery
from jobrunner.rehearsal import rehearse, rehearse_in_template

NOTHING: Final = "a process that ends at once"
JOB: Final = "a process in which a job's code runs"
CASES: Final = (NOTHING, JOB)
_FORKS: Final = 80
_WARM_UP_FORKS: Final = 4


@dataclass(frozen=True, slots=True)
class Fork:
    """What one took: the fork itself in the parent, and all of the child, its end included."""

    wall_ms: float
    cpu_ms: float
    page_faults: int


def _fork(case: str) -> Fork:
    begun, cpu_begun = time.perf_counter(), time.thread_time()
    pid = os.fork()
    if pid == 0:
        _be_the_child(case)
    forked = time.thread_time() - cpu_begun
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"A fork ended with status {status}.")
    cpu_seconds = forked + usage.ru_utime + usage.ru_stime
    return Fork((time.perf_counter() - begun) * 1000, cpu_seconds * 1000, usage.ru_minflt)


def _be_the_child(case: str) -> NoReturn:
    try:
        if case == JOB:
            rehearse()
    except BaseException:
        os._exit(1)
    os._exit(0)


def _measure() -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[Fork]] = {case: [] for case in CASES}
    for number in range(_WARM_UP_FORKS + _FORKS):
        for case, forks in found.items():
            fork = _fork(case)
            if number >= _WARM_UP_FORKS:
                forks.append(fork)
    return {case: [asdict(fork) for fork in forks] for case, forks in found.items()}


def main() -> int:
    """Become what a template is, with a session holder's fork in between, and measure in that."""
    with contextlib.redirect_stdout(sys.stderr):
        catalogue = discover(Discovery(tuple(sys.argv[1:])), lambda module: None)
    if not catalogue.blocks:
        print(f"There is no block in {' '.join(sys.argv[1:])}.", file=sys.stderr)
        return 1
    freeze()
    rehearse_in_template()
    freeze()
    holder = os.fork()
    if holder == 0:
        gc.disable()
        print(json.dumps(_measure()), flush=True)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(holder, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
