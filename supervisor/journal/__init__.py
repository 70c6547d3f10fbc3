"""What must survive the supervisor: claims and results, and who this worker is. One SQLite file."""

from supervisor.journal.records import Claim, StoredResult
from supervisor.journal.store import Journal

__all__ = ["Claim", "Journal", "StoredResult"]
