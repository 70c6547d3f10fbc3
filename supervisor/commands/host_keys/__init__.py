"""`supervisor host-keys`: which keys of devices the worker has accepted, and forgetting one that has changed."""
