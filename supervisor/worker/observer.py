"""What whoever counts is told of the worker's work. Nobody counts unless metrics are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # a worker has an observer before it has jobs
    from supervisor.job.result import Finished


class Observer:
    """Is told what happens, by the part to which it happens; this one does nothing with it.

    What overrides a method must return at once, raise nothing and wait for nothing: jobs wait for it.
    """

    def claimed(self, jobs: int) -> None:
        """The engine has given out so many jobs to this worker."""

    def queued(self, seconds: float) -> None:
        """A job has got its slot, so many seconds after its claim."""

    def started(self, seconds: float) -> None:
        """A job has got its child, so many seconds after its slot."""

    def ended(self, block_id: str, finished: Finished) -> None:
        """A job that had a slot is over. It may not have been started: `Finished` says so by its cause."""

    def not_run(self, block_id: str | None, cause: str) -> None:
        """A job was reported as failed without being started, or after the run that started it, for `cause`."""

    def result_waits(self, number: int) -> None:
        """The result with this number in the journal is to be sent."""

    def result_settled(self, number: int) -> None:
        """The engine has this result, or will never take it."""

    def result_try_failed(self) -> None:
        """A result was sent, and is to be sent again."""

    def poll_answered(self) -> None:
        """The engine has answered a request for jobs."""

    def poll_failed(self) -> None:
        """The engine was asked for jobs in vain."""

    def beat_sent(self, late_seconds: float) -> None:
        """A beat of the heartbeat goes out, so long after it was due."""

    def beat_answered(self) -> None:
        """The engine has answered a beat."""

    def beat_failed(self) -> None:
        """A beat was not answered."""


NOBODY: Final = Observer()
"""Nobody counts."""
