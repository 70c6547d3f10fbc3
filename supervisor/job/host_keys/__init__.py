"""The host keys of devices: which are known, which are kept of those that jobs see first, and where."""
