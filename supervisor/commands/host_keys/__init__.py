"""`supervisor host-keys`: lists the keys of devices that the worker has accepted, and forgets changed ones."""
