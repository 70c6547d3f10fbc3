"""Errors of the job runner."""


class JobRunnerError(Exception):
    """Root of this package's errors."""


class SourceError(JobRunnerError):
    """A place to look for function blocks can't be used. `source` is as the operator or an entry point names it."""

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}")
        self.source = source
        self.message = message
