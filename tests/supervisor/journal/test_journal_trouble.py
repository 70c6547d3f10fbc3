"""What is told of a disk in trouble: its end once, whoever waits for it."""

import asyncio
import errno
import logging

import pytest

from supervisor.journal.disk_fault import DiskFault
from supervisor.journal.trouble import QUIET_MENDS, JournalTrouble
from supervisor.log.events.results import JournalFailing, JournalRestored
from tests.log_events import told
from tests.simulated_time import simulate

MEND_SECONDS = 0.005


def test_the_end_of_a_trouble_that_came_back_is_told_once_also_when_the_worker_ends_before_it_is_due(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def steps() -> None:
        trouble = JournalTrouble(MEND_SECONDS)
        full = OSError(errno.ENOSPC, "No space left on device")
        for _ in range(2):
            trouble.begins(DiskFault.FULL, full)
            trouble.ends()
        assert (len(told(caplog, JournalFailing)), len(told(caplog, JournalRestored))) == (2, 1)
        trouble.close(is_whole=True)
        assert len(told(caplog, JournalRestored)) == 2
        await asyncio.sleep(2 * QUIET_MENDS * MEND_SECONDS)  # until it would have been due
        assert len(told(caplog, JournalRestored)) == 2

    simulate(steps())
