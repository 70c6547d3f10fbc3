"""What keeps the demo from showing anything at all."""

from supervisor.errors import SupervisorError


class DemoError(SupervisorError):
    """A program of the demo did not start or did not answer. The message holds what it said last."""
