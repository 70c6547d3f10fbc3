"""What must survive the supervisor: claims and results, and who this worker is.

In memory (`Ledger`), and as one SQLite file that is its durable copy.
"""

from supervisor.journal.ledger import Ledger
from supervisor.journal.records import Claim, Entry, StoredResult
from supervisor.journal.saving import SAVED, Saving

__all__ = ["SAVED", "Claim", "Entry", "Ledger", "Saving", "StoredResult"]
