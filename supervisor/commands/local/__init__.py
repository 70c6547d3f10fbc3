"""`supervisor local` and `supervisor dev`: the embedded engine and the worker, kept running together."""
