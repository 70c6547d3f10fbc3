"""Errors of the supervisor. Messages say what happened, to what, and what to do."""


class SupervisorError(Exception):
    """Root of this package's errors. `retryable` tells whether the same step may work later."""

    retryable: bool = False
    exit_code: int = 1
    """What a command ends with: 1 failed, 2 where another try can't succeed (systemd does not try again)."""


class LaunchError(SupervisorError):
    """A process could not be started. `evidence` is what it said before it ended, if anything.

    `on_its_way` is true where only something is missing that is being started, and so comes by itself.
    """

    retryable = True

    def __init__(self, message: str, *, evidence: str = "", on_its_way: bool = False) -> None:
        super().__init__(message)
        self.evidence = evidence
        self.on_its_way = on_its_way


class TemplateError(SupervisorError):
    """The template can't come up at all: not because of one module, which is only left out.

    `retryable` is true when the machine had no process, memory or descriptor left for it. `evidence` is what it
    said before it ended, if anything.
    """

    def __init__(self, message: str, *, evidence: str = "", retryable: bool = False) -> None:
        super().__init__(f"{message}\n{evidence}".rstrip())
        self.evidence = evidence
        self.retryable = retryable


class StateDirectoryError(SupervisorError):
    """The state directory can't be used. The message names it and says why."""


class NewerStateError(StateDirectoryError):
    """A newer version of this worker has written the state directory: no try of this one will ever succeed."""

    exit_code = 2


class StartRefusedError(SupervisorError):
    """The worker must not start like this: a setting, another distribution, or the engine forbids it."""


class WrongSettingError(StartRefusedError):
    """A setting can't work on this machine, however often it is tried: somebody has to change it, or what it names."""

    exit_code = 2


class ReloadRefusedError(SupervisorError):
    """The code or the settings as they are now can't be put in force; what was in force before still is.

    `retryable` is true when the machine had no descriptor or memory left to read them.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class EngineError(SupervisorError):
    """A request to the engine did not succeed. `status` is the HTTP status, `None` without an answer.

    `retry_after_seconds` is what the engine asked for (Retry-After), if it did. `said` is the message in the
    engine's own words: `None` for a web page, plain text and nothing, which may be a proxy's. `timed_out` tells that
    the request was sent, and no answer came in time.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retryable: bool = True,
        retry_after_seconds: float | None = None,
        said: str | None = None,
        timed_out: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
        self.said = said
        self.timed_out = timed_out
