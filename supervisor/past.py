"""What the last run of this worker left in the journal."""

import logging
import sqlite3

from supervisor.delivery import Delivery
from supervisor.journal import Journal
from supervisor.result import result_text
from supervisor.verdict import Cause, Verdict

_log = logging.getLogger(__name__)


async def deliver_the_past(journal: Journal, delivery: Delivery, *, knows_retryable: bool) -> None:
    """Send results that were not delivered, and report claims whose jobs died with the last run."""
    try:
        for number, job_id, block_id in await journal.interrupted():
            _log.warning("Job %s was interrupted by the end of the last run.", job_id)
            text = result_text(job_id, _interrupted(block_id), knows_retryable=knows_retryable)
            await journal.store_result(number, text)
        for result in await journal.undelivered():
            delivery.submit(result)
    except sqlite3.Error:
        _log.exception("The journal can't be read; what it holds is tried again at the next start.")


def _interrupted(block_id: str) -> Verdict:
    message = (
        f"This worker ended while the job ran (block {block_id}), and was started again. "
        "The block may have done a part of its work."
    )
    return Verdict(success=False, cause=Cause.WORKER_RESTARTED, message=message)
