"""What keeps the demo from showing anything at all."""

from supervisor.errors import SupervisorError


class DemoError(SupervisorError):
    """A program of the demo did not answer, or the demo took too long."""
