"""The mask of one job, from what it is given: beside the loop, or in small steps on it, where that takes long."""

from jobrunner.protocol.catalogue import SensitivePath
from jobrunner.protocol.masking import Mask, SecretNames
from supervisor.job.job import Job
from supervisor.job.json_secrets import secrets_in_steps
from supervisor.job.redaction import mask_of, mask_with
from supervisor.process.long_work import LongWork, pause


async def mask_of_job(
    job: Job, names: SecretNames, sensitive: tuple[SensitivePath, ...], long_work: LongWork
) -> Mask:
    """Return what masks all texts of this job. `sensitive` are the parameters that its block says are secret."""
    if job.texts is None:
        mask = mask_of(job.parameters, job.context, names, sensitive)
    else:
        secrets = await long_work.in_steps(secrets_in_steps(job.texts.parameters, names, sensitive))
        secrets |= await long_work.in_steps(secrets_in_steps(job.texts.context, names))
        mask = mask_with(secrets, names, sensitive)
    if mask.takes_long:
        await long_work.do(lambda: mask.prepare(pause))
    return mask
