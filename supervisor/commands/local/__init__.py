"""`supervisor local` and `supervisor dev`: they run the embedded engine and the worker together."""
