"""What a child says that can't be kept apart as it was ordered, and so must not run a block."""

from jobrunner.errors import JobRunnerError


class IsolationError(JobRunnerError):
    """A step that the kernel can take, as the supervisor has found out, failed just now."""

    def __init__(self, what: str, error: OSError) -> None:
        super().__init__(
            f"The job can't be kept apart from the rest of the machine (--isolation kernel): {what}: {error.strerror}."
        )
