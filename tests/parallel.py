"""Which tests run together in one parallel worker, and which begin first.

A worker gets a file at a time, as its tests share what its fixtures start. What takes long begins first, what is over
in a moment comes last: begun late, one long file keeps a single worker busy while the others have nothing left to do.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.processes import is_pure

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

ROOT: Final = Path(__file__).parents[1]

APART: Final = (
    "tests/docs/test_docs_executed.py",
    "tests/supervisor/commands/test_local.py",
    "tests/contract/test_contract_signal_matrix.py",
)
"""Long files whose tests share nothing: each test goes to whichever worker is free. The first of all."""

TOGETHER: Final = ("tests/jobusers",)
"""Folders whose tests run one after the other: their hosts give jobs the same user ids, and what a job has left is
removed when nothing runs any more as its user."""

LONG: Final = (
    "tests/programs/bench/test_bench_against.py",
    "tests/jobusers/test_job_users.py",
    "tests/supervisor/commands/test_local_secrets.py",
    "tests/jobrunner/discovery/test_discovery_runs_no_script.py",
    "tests/faults/test_faults_while_it_works.py",
    "tests/faults/test_faults_starts.py",
    "tests/supervisor/commands/test_submit.py",
    "tests/docs/test_architecture_snippets.py",
    "tests/programs/compat/test_compat_discovery.py",
    "tests/supervisor/commands/test_output.py",
    "tests/programs/compat/test_compat_outcomes.py",
    "tests/contract/test_contract_live.py",
    "tests/docs/test_features.py",
    "tests/supervisor/commands/control/test_verbs.py",
    "tests/sdk/testing/test_author_layout.py",
    "tests/supervisor/process/cgroups/test_cgroups_of_jobs.py",
    "tests/sdk/testing/test_harness_cases.py",
    "tests/programs/blocking/test_blocking_quick.py",
    "tests/supervisor/commands/test_new_block.py",
    "tests/supervisor/commands/demo/test_demo_run.py",
    "tests/contract/test_contract_restart.py",
    "tests/supervisor/commands/test_dev.py",
    "tests/supervisor/commands/test_run_block.py",
    "tests/supervisor/commands/test_journal_command.py",
    "tests/contract/test_contract_health.py",
    "tests/contract/test_contract_rolling_restart.py",
    "tests/contract/test_contract_control.py",
)
"""Further long files, the longest first. Where one is missing, the run is a little longer, and still right."""


def by_length(items: list[pytest.Item]) -> None:
    """Order tests as they are to begin. Those of a file stay together, and in their order."""
    listed = {str(ROOT / file): place for place, file in enumerate((*APART, *LONG))}
    last = len(listed) + 1

    def place(item: pytest.Item) -> int:
        # What is pure comes last: thousands of tests, in files of a second or two.
        return listed.get(str(item.path), last if is_pure(item.path) else last - 1)

    items.sort(key=place)


def scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """Return what hands the files out in the order of the tests: `APART` test by test, `TOGETHER` as one."""
    from xdist.scheduler import LoadFileScheduling

    class _ByLength(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            folder = file.rpartition("/")[0]
            return nodeid if file in APART else folder if folder in TOGETHER else file

    # Else by the number of tests: two thousand quick ones first, a long one last.
    config.option.loadscopereorder = False
    return _ByLength(config, log)
