"""Errors of the job runner."""


class JobRunnerError(Exception):
    """Root of this package's errors."""


class SourceError(JobRunnerError):
    """A place to look for function blocks can't be used. `source` is as the operator or an entry point names it."""

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}")
        self.source = source
        self.message = message


class UnreadableNameError(JobRunnerError):
    """A module is not imported, as its path is no UTF-8."""

    def __init__(self) -> None:
        super().__init__("its path is no UTF-8; rename it")
