"""The rows of the journal."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Self

State = Literal["running", "waiting", "dead", "set aside"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker has claimed. Never the payload, which holds device passwords: only its digest.

    `claimed_at` is seconds since the epoch.
    """

    job_id: str
    block_id: str
    worker_uuid: str
    claimed_at: float
    digest: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A claim and what became of it. `finished_at` is when its result was made, in seconds since the epoch.

    `replaced_by` is the entry of the failed result that is, or was, sent in the place of this one, which the engine
    had refused for good. `absent_bytes` is the size of a result that is not here, but in the file.
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
        """How many bytes its result has; `None` where it has none."""
        return self.absent_bytes if self.result is None else len(self.result)

    def without_text(self) -> Self:
        """Return it with its result left to the file."""
        return replace(self, result=None, absent_bytes=self.size)

    @property
    def state(self) -> State:
        """`running` without a result, `waiting` with one that is to be delivered, `dead` if refused for good.

        `set aside` is a claim without a result that is not reported, as its job may run elsewhere.
        """
        if self.dead_reason is not None:
            return "set aside" if self.size is None else "dead"
        return "running" if self.size is None else "waiting"


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result on its way to the engine. `number` is the claim's; `text` is sent unchanged at every try.

    `earlier` tells that an earlier run, or a try before a dead letter, may have delivered it already.
    `replaces` tells that it stands for one that the engine has refused; `replaced`, that it is such a one, which
    somebody has sent again.
    """

    number: int
    job_id: str
    text: bytes
    earlier: bool = False
    replaces: bool = False
    replaced: bool = False


class RowState(NamedTuple):
    """What a look at the file shows of a row: enough to notice that somebody else has changed it."""

    number: int
    is_dead: bool


def digest_of(parameters: object, key: bytes) -> str:
    """Return a keyed digest of a job's parameters: tells whether two are the same, and nothing else.

    Large parameters are given as the engine's text, which it writes in the same way each time.
    """
    large = parameters if isinstance(parameters, bytes) else None
    text = large or json.dumps(parameters, sort_keys=True, default=str).encode()
    return hashlib.blake2b(text, key=key, digest_size=16).hexdigest()
