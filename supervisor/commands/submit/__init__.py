"""`supervisor submit`: one job for an embedded engine, followed to its result."""
