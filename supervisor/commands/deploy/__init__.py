"""`supervisor deploy`: what systemd needs to run the worker."""
