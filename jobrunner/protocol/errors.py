"""The root of what the protocol between supervisor, template and child raises."""


class ProtocolError(Exception):
    """Root of this package's errors. The supervisor loads it, so that it is none of `jobrunner`'s."""
