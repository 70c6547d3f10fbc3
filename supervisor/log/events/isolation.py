"""Events of isolation: how well this kernel isolates jobs."""

from logging import INFO, WARNING

from supervisor.log.event import Event


class IsolationInForce(Event, level=INFO, text="{holds} {new_files}"):
    """The kernel supports all that `--isolation kernel` asks for. Jobs can't make anything directly in `directories`,
    because these contain something that is closed or read-only. See docs/how-to/isolation.md."""

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
    """`--isolation off` is set."""

    what_jobs_can: str
