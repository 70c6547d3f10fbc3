"""The mask of one job and the endpoints of its devices, from what it is given.

Where that takes long it is done beside the loop, or in small steps on it; a large order is read once for both.
"""

from jobrunner.protocol.catalogue import SensitivePath
from jobrunner.protocol.masking import Mask, SecretNames
from supervisor.job.device_endpoints import Endpoints, EndpointSearch, endpoints_of
from supervisor.job.job import Job
from supervisor.job.json_secrets import secrets_in_steps
from supervisor.job.redaction import mask_of, mask_with
from supervisor.process.long_work import LongWork, pause


async def mask_and_endpoints(
    job: Job, names: SecretNames, sensitive: tuple[SensitivePath, ...], long_work: LongWork
) -> tuple[Mask, Endpoints]:
    """Return what masks all texts of this job, and where its devices are.

    `sensitive` are the parameters that its block says are secret.
    """
    if job.texts is None:
        mask = mask_of(job.parameters, job.context, names, sensitive)
        endpoints = endpoints_of(job.parameters, job.context)
    else:
        search = EndpointSearch()
        parameters = secrets_in_steps(job.texts.parameters, names, sensitive, search.of_parameters)
        secrets = await long_work.in_steps(parameters)
        context = secrets_in_steps(job.texts.context, names, listener=search.of_context)
        secrets |= await long_work.in_steps(context)
        mask, endpoints = mask_with(secrets, names, sensitive), search.found()
    if mask.takes_long:
        await long_work.do(lambda: mask.prepare(pause))
    return mask, endpoints
