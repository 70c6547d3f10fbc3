"""What a process does to itself before it runs code of a block: seen by itself, in a process of its own."""

import contextlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hosting import ROOT, hosted, signals_are_contained

from jobrunner import containment
from tests.patience import PATIENCE_SECONDS

CONTAIN = """
import json, os, resource, sys
from jobrunner.containment import contain, limit_open_files
from jobrunner.protocol.confinement import Confinement
before = {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")}
del before["RLIMIT_OFILE"]  # another name of RLIMIT_NOFILE
if len(sys.argv) > 2:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
nice, nicer_by = os.nice, []
os.nice = lambda step: (nicer_by.append(step), nice(step))[1]
confinement = Confinement(**json.loads(sys.argv[1]))
contain(confinement)
limit_open_files(confinement.max_open_files)
after = {name: resource.getrlimit(getattr(resource, name)) for name in before}
print(json.dumps({
    "niceness": nice(0),
    "nicer_by": nicer_by,
    "policy": os.sched_getscheduler(0),
    "oom": open("/proc/self/oom_score_adj").read().strip(),
    "limits": {name: after[name] for name in after if after[name] != before[name]},
}))
"""


def contained(confinement: dict[str, int], *flags: str, prefix: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what a process sees that has contained itself."""
    done = subprocess.run(
        [*prefix, sys.executable, "-c", CONTAIN, json.dumps(confinement), *flags],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


# A limit that is not 0 already, unless nobody here may have a core file.
_, HARD = resource.getrlimit(resource.RLIMIT_CORE)
MOST = 1000 if HARD == resource.RLIM_INFINITY else min(1000, HARD)
CORES = ("prlimit", f"--core={MOST}:{MOST}")
NO_CORE = {"RLIMIT_CORE": [0, 0]} if MOST else {}
# Where there is a limit at all, jobs leave the last processes of the user to the worker.
USERS, _ = resource.getrlimit(resource.RLIMIT_NPROC)
RESERVE = {"RLIMIT_NPROC": [USERS - 64] * 2} if USERS > 128 else {}
# Where a job could take a higher priority than its worker.
PRIORITIES = {
    name: [0, 0]
    for name in ("RLIMIT_RTPRIO", "RLIMIT_NICE")
    if resource.getrlimit(getattr(resource, name)) != (0, 0)
}


def test_a_child_is_nicer_than_its_worker_leaves_no_core_and_goes_first_when_memory_runs_out() -> None:
    seen = contained({}, prefix=CORES)
    assert seen["niceness"] == min(19, os.nice(0) + 5)
    assert seen["limits"] == NO_CORE | RESERVE | PRIORITIES
    assert seen["oom"] == "500"


def test_a_child_makes_itself_nicer_however_nice_its_worker_is() -> None:
    """Above 19 the kernel shows no difference: where the tests run that nicely, the step alone tells."""
    for prefix in ((), ("nice", "-n", "19")):
        assert contained({}, prefix=prefix)["nicer_by"] == [5]


def test_limits_are_set_soft_and_hard_and_that_of_processes_only_for_a_user_of_the_job_s_own() -> None:
    limits = {"max_open_files": 100, "max_file_mb": 3, "max_processes": 50}
    seen = contained(limits, prefix=CORES)["limits"]
    expected = NO_CORE | PRIORITIES | {"RLIMIT_NOFILE": [100, 100], "RLIMIT_FSIZE": [3 * 2**20] * 2}
    assert seen == expected | RESERVE
    seen = contained(limits | {"user": 3_000_000_000}, prefix=CORES)["limits"]
    # What can't be found cannot be removed afterwards.
    queues = {} if os.path.ismount("/dev/mqueue") else {"RLIMIT_MSGQUEUE": [0, 0]}
    assert seen == expected | {"RLIMIT_NPROC": [50, 50]} | queues


@pytest.mark.skipif(
    0 <= resource.getrlimit(resource.RLIMIT_NPROC)[1] < 2000, reason="the user may have too few processes"
)
def test_the_worker_s_reserve_of_processes_is_taken_from_the_limit_that_holds() -> None:
    seen = contained({}, prefix=("prlimit", "--nproc=1000:2000"))["limits"]
    assert seen["RLIMIT_NPROC"] == [1000 - 64] * 2


def test_a_limit_above_the_hard_one_becomes_the_hard_one() -> None:
    seen = contained({"max_open_files": 1000}, prefix=("prlimit", "--nofile=100:200"))["limits"]
    assert seen["RLIMIT_NOFILE"] == [200, 200]


def test_a_child_gives_up_the_priority_that_its_worker_has_while_jobs_run() -> None:
    policy = os.sched_getscheduler(0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    may = os.sched_getscheduler(0) == os.SCHED_RR
    os.sched_setscheduler(0, policy, os.sched_param(0))
    if not may:
        pytest.skip("this process may not have real-time priority")
    seen = contained({}, "--with-precedence")
    assert (seen["policy"], seen["niceness"]) == (os.SCHED_OTHER, min(19, os.nice(0) + 5))


def test_a_child_can_take_no_higher_priority_than_it_has() -> None:
    """Limits of the user may allow it, as for audio programs. The worker would not run beside such a job."""
    raised = ("prlimit", "--rtprio=10:10", "--nice=30:30")
    if subprocess.run([*raised, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this process may not raise its limits")
    limits = contained({}, prefix=raised)["limits"]
    assert (limits["RLIMIT_RTPRIO"], limits["RLIMIT_NICE"]) == ([0, 0], [0, 0])


def test_limits_that_allow_higher_priorities_are_taken_away_soft_and_hard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    had = {resource.RLIMIT_RTPRIO: (10, 95), resource.RLIMIT_NICE: (0, 40)}
    monkeypatch.setattr(containment.resource, "getrlimit", lambda limit: had[limit])
    monkeypatch.setattr(containment.resource, "setrlimit", lambda limit, both: had.update({limit: both}))
    containment._forbid_higher_priorities()
    assert set(had.values()) == {(0, 0)}


SIGNALS_ITS_PARENT = """
import os, signal
os.kill(os.getppid(), signal.SIGCONT)
"""
TELLS_ITS_STATUS = """
import logging
logging.getLogger(__name__).warning(open("/proc/self/status").read().replace(chr(10), " ; "))
"""


@pytest.mark.skipif(not signals_are_contained(), reason="this kernel is older than Linux 6.12")
def test_a_module_can_not_signal_the_worker_while_it_is_imported(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "signals_its_parent.py").write_text(SIGNALS_ITS_PARENT)
    with hosted(tmp_path, sources=[str(sources / "signals_its_parent.py")]) as host:
        (problem,) = host.problems
        assert "PermissionError" in problem["message"] + problem["traceback"]


def test_a_module_gets_no_new_privileges_while_it_is_imported(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "tells_its_status.py").write_text(TELLS_ITS_STATUS)
    with hosted(tmp_path, sources=[str(sources / "tells_its_status.py")]) as host:
        (line,) = host.lines_of("tells_its_status")
        assert "NoNewPrivs:\t1" in line["message"]
