"""The steps of a job that are marked: what each is called, and which function of the worker it is taken from."""

from dataclasses import dataclass
from typing import Final, Literal

CLAIMED: Final = "claimed (the engine's stamp)"
ACCEPTED: Final = "result accepted (the engine's stamp)"
ORDER_READ: Final = "child: order read"
PAYLOAD_READ: Final = "child: payload read"
BLOCK_BEGINS: Final = "child: block begins"
BLOCK_RETURNS: Final = "child: block returns"


@dataclass(frozen=True, slots=True)
class Hop:
    """A mark at a method of the worker: when it is called, when it has returned, or when it gets an event."""

    name: str
    module: str
    method: str
    """As `Class.method`."""
    when: Literal["called", "returned", "event"] = "returned"
    event: str = ""
    """The class of the method's first argument, for `event`."""


IN_SUPERVISOR: Final = (
    Hop("poll answer decoded", "supervisor.worker.dispatch", "Dispatcher.accept", "called"),
    Hop("claim durable", "supervisor.journal.saving", "Saving.wait"),
    Hop("spare taken", "supervisor.launcher.spare_pool", "SparePool.take"),
    Hop("order written", "supervisor.launcher.channel_stream", "ChannelStream.send"),
    Hop("payload written", "supervisor.job.execution", "Execution._begin"),
    Hop("outcome read", "supervisor.job.execution", "Execution._handle", "event", "OutcomeArrived"),
    Hop("exit seen", "supervisor.job.execution", "Execution._handle", "event", "ChildExited"),
    Hop("tree swept, child reaped", "supervisor.job.execution", "Execution._handle", "event", "TreeCleared"),
    Hop("verdict", "supervisor.job.runner", "JobRunner.run"),
    Hop("result durable", "supervisor.journal.ledger", "Ledger.store_result"),
    Hop("POST begun", "supervisor.engine.api", "EngineApi.push_result", "called"),
    Hop("POST answered", "supervisor.engine.api", "EngineApi.push_result"),
)
