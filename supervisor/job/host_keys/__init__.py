"""The host keys of devices: which are known, which new ones are kept, and where."""
