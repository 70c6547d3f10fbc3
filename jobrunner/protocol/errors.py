"""The base class of the errors of the protocol between supervisor, template and child."""


class ProtocolError(Exception):
    """Base class of this package's errors. The supervisor loads it, so it does not belong to `jobrunner`'s errors."""
