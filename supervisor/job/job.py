"""A job as the engine has given it to this worker."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from jobrunner.protocol.messages import JobType, RunOn
from supervisor.host_keys.endpoint import Endpoint
from supervisor.host_keys.public_key import PublicKey


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `parameters` and `context` are as the engine sent them, and may hold passwords."""

    job_id: str
    block_id: str
    job_type: JobType
    run_on: RunOn
    parameters: dict[str, object]
    context: dict[str, object]
    entity_id: int | float | None = None
    step_label: str | None = None
    texts: "JobTexts | None" = None
    """What `parameters` and `context` are, where they are large: those two are empty then."""

    def payload(self, known: Sequence[tuple[Endpoint, PublicKey]] = ()) -> bytes:
        """Return parameters and context as the child gets them, and the known host keys of the job's devices."""
        keys = [(*endpoint, *key) for endpoint, key in known]
        if self.texts is None:
            document = {"parameters": self.parameters, "context": self.context}
            return json.dumps({**document, "host_keys": keys} if keys else document).encode()
        parts = (b'{"parameters": ', self.texts.parameters, b', "context": ', self.texts.context)
        known_keys = (b', "host_keys": ', json.dumps(keys).encode()) if keys else ()
        return b"".join((*parts, *known_keys, b"}"))


@dataclass(frozen=True, slots=True)
class JobTexts:
    """Parameters and context of a large job as the engine wrote them: to make objects of megabytes holds the loop."""

    parameters: bytes
    context: bytes
