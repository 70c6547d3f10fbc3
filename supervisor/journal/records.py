"""The rows of the journal."""

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker has claimed. Never the payload, which holds device passwords: only its digest."""

    job_id: str
    block_id: str
    worker_uuid: str
    claimed_at: float
    digest: str


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result on its way to the engine. ``number`` is the claim's row; ``text`` is sent unchanged at every try."""

    number: int
    job_id: str
    text: bytes


def digest_of(parameters: object, key: bytes) -> str:
    """Return a keyed digest of a job's parameters: tells whether two are the same, and nothing else."""
    text = json.dumps(parameters, sort_keys=True, default=str).encode()
    return hashlib.blake2b(text, key=key, digest_size=16).hexdigest()
