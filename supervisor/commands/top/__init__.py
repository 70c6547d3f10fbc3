"""`supervisor top`: a worker and its jobs, live."""
