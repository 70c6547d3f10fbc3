"""The engine's durable state in SQLite: one connection, used on the event loop's thread only.

No writer thread: a claim or a result takes some 0.05 ms of SQLite, less than handing it to a thread and back
costs. Now and then one takes some 10 ms more, when the WAL is folded into the file.
"""

from sdk.devengine.store.database import Database
from sdk.devengine.store.jobs import JobStore, NewJob
from sdk.devengine.store.logs import LogStore
from sdk.devengine.store.registrations import RegistrationStore
from sdk.devengine.store.workers import WorkerStore

__all__ = ["Database", "JobStore", "LogStore", "NewJob", "RegistrationStore", "WorkerStore"]
