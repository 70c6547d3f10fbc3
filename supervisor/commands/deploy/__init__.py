"""`supervisor deploy`: prints what systemd needs to run the worker."""
