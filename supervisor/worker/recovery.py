"""What the last run of this worker left in the journal."""

import logging

from supervisor.job.result import not_run, result_text
from supervisor.journal import Ledger
from supervisor.log.event import tell
from supervisor.log.events.jobs import JobInterrupted
from supervisor.verdict.refusals import worker_restarted
from supervisor.worker.delivery import Delivery

_log = logging.getLogger(__name__)


async def recover_results(journal: Ledger, delivery: Delivery, *, knows_retryable: bool) -> None:
    """Report claims whose jobs died with the last run, and send all results that were not delivered.

    Also called when the journal has found more: the same result is never sent twice at a time.
    """
    for entry in journal.interrupted():
        job_id = entry.claim.job_id
        verdict = worker_restarted(entry.claim.block_id)
        interrupted = not_run(verdict)
        block_id, cause = entry.claim.block_id, verdict.cause.value
        tell(_log, JobInterrupted(job=job_id, block=block_id, outcome=verdict.status, cause=cause))
        text = result_text(job_id, interrupted, knows_retryable=knows_retryable)
        await journal.store_result(entry.number, text)
    for result in journal.undelivered():
        delivery.submit(result)
