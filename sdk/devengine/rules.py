"""The engine's decisions about time and retries, without I/O and clock (engine contract: worker states, retries)."""

from __future__ import annotations

from enum import StrEnum

from sdk.devengine.options import EngineOptions


class WorkerState(StrEnum):
    """The states of a worker's row. A separate stamp marks its deletion."""

    ONLINE = "online"
    UNREACHABLE = "unreachable"
    OFFLINE = "offline"


def state_after_silence(state: WorkerState, silent_seconds: float, options: EngineOptions) -> WorkerState:
    """Return the state of a worker that has not pinged for `silent_seconds`. Only a ping leads back to online."""
    if state is WorkerState.OFFLINE or silent_seconds >= options.offline_seconds:
        return WorkerState.OFFLINE
    if silent_seconds >= options.unreachable_seconds:
        return WorkerState.UNREACHABLE
    return state


def is_deletable(state: WorkerState, unseen_seconds: float, options: EngineOptions) -> bool:
    """Whether a worker is soft-deleted now.

    This counts from the last sign of life, not from `lastPingAt`: unregistering sets that to the epoch, and a worker
    that has just unregistered must be able to come back by a ping.
    """
    return state is WorkerState.OFFLINE and unseen_seconds >= options.delete_seconds


def is_stuck(claimed_seconds: float, options: EngineOptions) -> bool:
    """Whether the engine fails a claimed job, whatever the state of its worker."""
    return claimed_seconds >= options.stuck_seconds


def is_retried(*, attempts: int, repeatable: bool, retryable: bool | None, options: EngineOptions) -> bool:
    """Whether a failed job goes back to pending under the same id.

    `repeatable` is true for a block that is pure or idempotent, `retryable` is what the result said.
    """
    return repeatable and retryable is not False and attempts < options.max_attempts
