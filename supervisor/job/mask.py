"""The mask of one job, which hides its secrets wherever its text goes, and the endpoints of its devices.

Both come from the job's input. Long work is done beside the loop, or in small steps on it. A large order is read once
for both.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from jobrunner.protocol.catalogue import SensitivePath
from jobrunner.protocol.masking import Mask, SecretNames, secrets_in
from jobrunner.protocol.masking.collector import ANY
from supervisor.job.device_endpoints import Endpoints, EndpointSearch, endpoints_of
from supervisor.job.job import Job, as_json
from supervisor.job.json_secrets import secrets_in_steps
from supervisor.process.long_work import LongWork, pause
from supervisor.settings.run_settings import RunSettings


async def mask_and_endpoints(
    job: Job, names: SecretNames, sensitive: tuple[SensitivePath, ...], long_work: LongWork
) -> tuple[Mask, Endpoints]:
    """Return the mask for all texts of this job, and the endpoints of its devices.

    `sensitive` are the parameters that its block has marked as secret.
    """
    if isinstance(job.parameters, dict) and isinstance(job.context, dict):
        mask = mask_of(job.parameters, job.context, names, sensitive)
        endpoints = endpoints_of(job.parameters, job.context)
    else:
        search = EndpointSearch()
        parameters = secrets_in_steps(as_json(job.parameters), names, sensitive, search.of_parameters)
        secrets = await long_work.in_steps(parameters)
        context = secrets_in_steps(as_json(job.context), names, listener=search.of_context)
        secrets |= await long_work.in_steps(context)
        mask, endpoints = _mask_with(secrets, names, sensitive), search.found()
    if mask.takes_long:
        await long_work.do(lambda: mask.prepare(pause))
    return mask, endpoints


def mask_of(
    parameters: object, context: object, names: SecretNames, sensitive: tuple[SensitivePath, ...] = ()
) -> Mask:
    """Return the mask of a job with these parameters and this context, as the engine sent them.

    `sensitive` is what the block's model has declared. The values come from the order, never from the child.
    """

    def secrets() -> Iterator[str]:
        yield from secrets_in(parameters, names, sensitive)
        yield from secrets_in(context, names)

    return _mask_with(secrets, names, sensitive)


def _mask_with(
    secrets: Iterable[str] | Callable[[], Iterable[str]],
    names: SecretNames,
    sensitive: tuple[SensitivePath, ...] = (),
) -> Mask:
    """Return the mask of a job whose order has these secrets."""
    return Mask(secrets, names, {_field_of(path) for path in sensitive})


def _field_of(path: SensitivePath) -> str:
    return next((step for step in reversed(path) if step != ANY), "")


def secret_names_of(settings: RunSettings) -> SecretNames:
    """Return the names of secrets in these settings."""
    return _names(tuple(settings.redact_keys))


@cache
def _names(redact_keys: tuple[str, ...]) -> SecretNames:
    # One object for all jobs: it remembers the names that it has looked up.
    return SecretNames(redact_keys)
