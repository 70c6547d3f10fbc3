"""The events of the worker's work that a counter can hear. Nothing counts unless metrics are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # the worker makes an observer before it imports these
    from supervisor.job.result import Finished


class Observer:
    """Each part of the worker calls these methods when something happens to it; this class does nothing.

    A method that overrides one must return at once, raise nothing and wait for nothing: jobs wait for it.
    """

    def claimed(self, jobs: int) -> None:
        """The engine has given so many jobs to this worker."""

    def queued(self, seconds: float) -> None:
        """A job has got its slot, so many seconds after its claim."""

    def started(self, seconds: float) -> None:
        """A job has got its child, so many seconds after its slot."""

    def ended(self, block_id: str, finished: Finished) -> None:
        """A job that had a slot is over. If it was never started, the cause in `Finished` shows that."""

    def not_run(self, block_id: str | None, cause: str) -> None:
        """A job was reported as failed for `cause`. It was not started, or an earlier run started it."""

    def result_waits(self, number: int) -> None:
        """The result with this number in the journal must be sent."""

    def result_settled(self, number: int) -> None:
        """The engine has this result, or will never take it."""

    def result_try_failed(self) -> None:
        """A result was sent, and must be sent again."""

    def poll_answered(self) -> None:
        """The engine has answered a request for jobs."""

    def poll_failed(self) -> None:
        """A poll has failed."""

    def beat_sent(self, late_seconds: float) -> None:
        """A heartbeat is sent, so many seconds after it was due."""

    def beat_answered(self) -> None:
        """The engine has answered a beat."""

    def beat_failed(self) -> None:
        """A beat was not answered."""


NOBODY: Final = Observer()
"""Nobody counts."""
