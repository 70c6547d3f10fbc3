"""Events of the control socket."""

from logging import CRITICAL, INFO, WARNING

from supervisor.log.event import Event


class ControlUnavailable(
    Event,
    level=WARNING,
    text="This worker can't be asked from outside (`supervisor status` and the like): {reason} It tries again.",
):
    """The worker works on without its control socket. Jobs and results are not affected."""

    reason: str


class ControlAvailable(Event, level=INFO, text="The control socket is back in {directory}."):
    """`control_unavailable` is over."""

    directory: str


class ControlGroupClosed(
    Event,
    level=WARNING,
    text="Members of the group {group} can't ask this worker, but root and the worker's user can: {reason}",
):
    """The group comes from `--control-group`. `reason` says why its members are not let in, and what to do."""

    group: str
    reason: str


class ControlRefused(
    Event, level=WARNING, text="A process was refused at the control socket: {reason} (pid {pid}, uid {uid})."
):
    """The process has learned nothing. If it belongs to a job, look at the block that started it."""

    pid: int
    uid: int
    reason: str


class ControlRefusedMore(
    Event, level=WARNING, text="{connections} more connection(s) to the control socket were refused."
):
    """Since the last `control_refused`."""

    connections: int


class ControlFailed(
    Event, level=CRITICAL, text="The command {command} failed because of a bug in this worker."
):
    """Please report the traceback. The worker goes on."""

    command: str
