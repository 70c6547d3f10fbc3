"""Why the demo can't show anything at all."""

from supervisor.errors import SupervisorError


class DemoError(SupervisorError):
    """A program of the demo did not answer, or the demo took too long."""
