"""The engine's durable state in SQLite: one connection, used only on the event loop's thread.

There is no writer thread: SQLite needs about 0.05 ms for a claim or a result. To pass it to a thread and back costs
more. From time to time one takes about 10 ms more, when SQLite writes the WAL into the file.
"""

from sdk.devengine.store.database import Database
from sdk.devengine.store.jobs import JobStore, NewJob
from sdk.devengine.store.logs import LogStore
from sdk.devengine.store.registrations import RegistrationStore
from sdk.devengine.store.workers import WorkerStore

__all__ = ["Database", "JobStore", "LogStore", "NewJob", "RegistrationStore", "WorkerStore"]
