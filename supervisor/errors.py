"""Errors of the supervisor. Messages say what happened, to what, and what to do."""


class SupervisorError(Exception):
    """Root of this package's errors. `retryable`: the same step may succeed later."""

    retryable: bool = False
    exit_code: int = 1
    """The exit code of a command: 1 failed, 2 if another try can't succeed (systemd does not try again)."""


class LaunchError(SupervisorError):
    """A process could not be started. `evidence` is its output before it ended, if any.

    `on_its_way` is true if only something is missing that is being started already: the error passes by itself.
    """

    retryable = True

    def __init__(self, message: str, *, evidence: str = "", on_its_way: bool = False) -> None:
        super().__init__(message)
        self.evidence = evidence
        self.on_its_way = on_its_way


class TemplateError(SupervisorError):
    """The template can't start at all. One bad module does not cause this: it is only left out.

    `retryable` is true if the machine had no process, memory or descriptor left for it. `evidence` is its output before
    it ended, if any.
    """

    def __init__(self, message: str, *, evidence: str = "", retryable: bool = False) -> None:
        super().__init__(f"{message}\n{evidence}".rstrip())
        self.evidence = evidence
        self.retryable = retryable


class StateDirectoryError(SupervisorError):
    """The state directory can't be used. The message names it and says why."""


class NewerStateError(StateDirectoryError):
    """A newer version of this worker has written the state directory: this version can never use it."""

    exit_code = 2


class StartRefusedError(SupervisorError):
    """The worker must not start like this: a setting, another distribution, or the engine forbids it."""


class WrongSettingError(StartRefusedError):
    """A setting can never work on this machine: somebody must change the setting, or the thing that it names."""

    exit_code = 2


class NoHomeError(StartRefusedError):
    """There is no default place for what is kept: somebody has to name one."""

    exit_code = 2


class ReloadRefusedError(SupervisorError):
    """The current code or settings can't be put in force; the earlier ones still are.

    `retryable` is true if the machine had no descriptor or memory left to read them.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class EngineError(SupervisorError):
    """A request to the engine did not succeed. `status` is the HTTP status, `None` without an answer.

    `retry_after_seconds` is the engine's Retry-After, if it sent one. `said` is the message in the engine's own words;
    it is `None` for a web page, plain text or an empty answer, which may be a proxy's. `timed_out`: the request was
    sent, and no answer came in time.
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
