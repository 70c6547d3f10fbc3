"""`supervisor logs`: the log of one job, while it runs or after its end."""
