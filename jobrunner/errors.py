"""Errors of the job runner."""


class JobRunnerError(Exception):
    """Base class of this package's errors."""


class SourceError(JobRunnerError):
    """A place with function blocks can't be used. `source` is the name that the operator or an entry point gave."""

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}")
        self.source = source
        self.message = message


class UnusableNameError(JobRunnerError):
    """A module is not imported, because a name in its path can't be used. The message says what to do."""


class UnreadableNameError(UnusableNameError):
    """A module is not imported, because its path is not UTF-8."""

    def __init__(self) -> None:
        super().__init__("its path is no UTF-8; rename it")


class DottedNameError(UnusableNameError):
    """A module is not imported: if a name has a dot, Python looks for a folder: `show.v2` is `v2` in `show`."""

    def __init__(self) -> None:
        super().__init__(
            "its file, or a folder, has a dot in its name, where Python looks for a folder; rename it"
        )
