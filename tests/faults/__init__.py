"""What the programs that inject faults share: `tests.chaos`, `tests.crashpoints` and `tests.soak` (see README.md here)."""
