"""Events of isolation: how far this kernel keeps jobs apart."""

from logging import INFO, WARNING

from supervisor.log.event import Event


class IsolationInForce(Event, level=INFO, text="{holds} {new_files}"):
    """All that `--isolation kernel` asks for is there. `directories` are those in which jobs can make nothing, as they
    are on the way to something that is closed or read-only. See docs/how-to/isolation.md."""

    holds: str
    new_files: str
    landlock_abi: int
    seccomp: bool
    directories: str | None


class IsolationIncomplete(Event, level=WARNING, text="{holds} {missing} {new_files}"):
    """This kernel lacks a part of what `--isolation kernel` asks for. Jobs run all the same. `missing` says what a job
    can do. Use a newer kernel, a container that allows Landlock and seccomp, or `--job-users`."""

    holds: str
    missing: str
    new_files: str
    landlock_abi: int
    seccomp: bool
    directories: str | None


class IsolationOff(Event, level=INFO, text="{what_jobs_can}"):
    """Somebody has set it so."""

    what_jobs_can: str
