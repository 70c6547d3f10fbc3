"""`supervisor submit`: submits a job to an embedded engine, and follows it to its result."""
