"""A job as the engine has given it to this worker."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from jobrunner.protocol.messages import JobType, RunOn
from supervisor.host_keys.endpoint import Endpoint
from supervisor.host_keys.public_key import PublicKey


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `parameters` and `context` are as the engine sent them, and may hold passwords.

    Of a large job they are the engine's text: to make objects of megabytes holds the loop.
    """

    job_id: str
    block_id: str
    job_type: JobType
    run_on: RunOn
    parameters: dict[str, object] | bytes
    context: dict[str, object] | bytes
    entity_id: int | float | None = None
    step_label: str | None = None

    def payload(self, known: Sequence[tuple[Endpoint, PublicKey]] = ()) -> bytes:
        """Return parameters and context as the child gets them, and the known host keys of the job's devices."""
        keys = [(*endpoint, *key) for endpoint, key in known]
        parts = (b'{"parameters": ', as_json(self.parameters), b', "context": ', as_json(self.context))
        known_keys = (b', "host_keys": ', json.dumps(keys).encode()) if keys else ()
        return b"".join((*parts, *known_keys, b"}"))


def as_json(value: dict[str, object] | bytes) -> bytes:
    """Return parameters or context of a job as text."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()
