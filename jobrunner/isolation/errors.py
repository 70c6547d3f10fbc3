"""The error of a child that can't be isolated as ordered, and so must not run a block."""

from jobrunner.errors import JobRunnerError


class IsolationError(JobRunnerError):
    """A step failed, although the supervisor has found out that the kernel supports it."""

    def __init__(self, what: str, error: OSError) -> None:
        super().__init__(
            f"The job can't be kept apart from the rest of the machine (--isolation kernel): {what}: {error.strerror}."
        )
