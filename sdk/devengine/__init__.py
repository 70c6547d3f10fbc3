"""The embedded engine: the worker contract of the neops workflow engine on one machine, for development.

It hands out jobs, accepts results and watches workers like the real engine. It listens on loopback only, and keeps its
state in one SQLite file. It runs no workflows: jobs are submitted one by one. Start it with `python -m sdk.devengine`,
or in a test:

    async with DevEngine(EngineOptions()) as engine:
        job_id = engine.submit(block="neops_base/echo:1.0.0", parameters={"text": "hello"})
        job = await engine.wait_for_result(job_id, timeout_seconds=10)
"""

from sdk.devengine.engine import DevEngine
from sdk.devengine.errors import (
    DatabaseError,
    DevEngineError,
    EngineOptionsError,
    EngineStateError,
    ListenError,
    NotFoundError,
    RequestError,
    SubmissionError,
    TokenFileError,
)
from sdk.devengine.faults import Fault, Faults
from sdk.devengine.identifiers import BlockId
from sdk.devengine.options import EngineOptions
from sdk.devengine.records import AttemptRecord, JobRecord, LogRecord, RegistrationRecord, WorkerRecord
from sdk.devengine.request_log import RequestRecord
from sdk.devengine.rules import WorkerState

__all__ = [
    "AttemptRecord",
    "BlockId",
    "DatabaseError",
    "DevEngine",
    "DevEngineError",
    "EngineOptions",
    "EngineOptionsError",
    "EngineStateError",
    "Fault",
    "Faults",
    "JobRecord",
    "ListenError",
    "LogRecord",
    "NotFoundError",
    "RegistrationRecord",
    "RequestError",
    "RequestRecord",
    "SubmissionError",
    "TokenFileError",
    "WorkerRecord",
    "WorkerState",
]
