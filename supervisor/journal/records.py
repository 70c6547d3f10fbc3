"""The rows of the journal."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Self

State = Literal["running", "waiting", "dead", "set aside"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker has claimed. It has no payload, which holds device passwords: only a digest of it.

    `claimed_at` is seconds since the epoch.
    """

    job_id: str
    block_id: str
    worker_uuid: str
    claimed_at: float
    digest: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A claim and its result. `finished_at` is when the result was made, in seconds since the epoch.

    `replaced_by`: the engine refused this result for good, and a failed result in that entry is, or was, sent in its
    place. `absent_bytes` is the size of a result that only the file has.
    """

    number: int
    claim: Claim
    result: bytes | None = None
    finished_at: float | None = None
    dead_reason: str | None = None
    replaced_by: int | None = None
    absent_bytes: int | None = None

    @property
    def size(self) -> int | None:
        """How many bytes its result has; `None` without a result."""
        return self.absent_bytes if self.result is None else len(self.result)

    def without_text(self) -> Self:
        """Return the entry without its result, which stays in the file."""
        return replace(self, result=None, absent_bytes=self.size)

    @property
    def state(self) -> State:
        """`running`: no result. `waiting`: a result to deliver. `dead`: the engine refused the result for good.

        `set aside`: a claim without a result that is not reported, because its job may run elsewhere.
        """
        if self.dead_reason is not None:
            return "set aside" if self.size is None else "dead"
        return "running" if self.size is None else "waiting"


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result on its way to the engine. `number` is the claim's; `text` is sent unchanged at every try.

    `earlier`: an earlier run, or a try before it became a dead letter, may have delivered it already.
    `replaces`: it replaces a result that the engine has refused. `replaced`: it is such a refused result, and
    somebody sends it again.
    """

    number: int
    job_id: str
    text: bytes
    earlier: bool = False
    replaces: bool = False
    replaced: bool = False


class RowState(NamedTuple):
    """What a look at the file shows of a row: enough to notice changes by others."""

    number: int
    is_dead: bool


def digest_of(parameters: object, key: bytes) -> str:
    """Return a keyed digest of a job's parameters. It shows whether two are equal, and nothing else.

    Large parameters are given as the engine's text, which is the same each time.
    """
    large = parameters if isinstance(parameters, bytes) else None
    text = large or json.dumps(parameters, sort_keys=True, default=str).encode()
    return hashlib.blake2b(text, key=key, digest_size=16).hexdigest()
