"""Events of the state directory: whom it belongs to, and which claims of an earlier run are not reported."""

from logging import WARNING

from supervisor.log.event import Event


class PlaceInDoubt(
    Event,
    level=WARNING,
    text="The state directory {path} may be a copy: {reason}. The worker registers as a new one. It sends results that "
    "are finished, and sets aside jobs that may still run elsewhere. If you moved the directory on purpose, stop the "
    "worker and run `supervisor journal adopt --state-dir {path}`: then the next start reports those jobs.",
):
    """Two workers must not have one registration: the copy would report jobs that the original runs."""

    path: str
    reason: str


class PlaceUnrecorded(
    Event,
    level=WARNING,
    text="The worker could not write down where the state directory {path} belongs: {reason}. The worker goes on. "
    "Check the disk. A copy of this directory may not be known as one.",
):
    """The disk took nothing. The worker tries again when the disk has taken the journal, and at the next start."""

    path: str
    reason: str


class StateDirectoryHangs(
    Event,
    level=WARNING,
    text="The state directory {path} does not answer after {seconds:g} s. The worker waits for it. Check its disk, or "
    "the server if it is on a network.",
):
    """A network file system whose server is away, or a failing disk."""

    path: str
    seconds: float


class StateDirectoryLockWeak(
    Event,
    level=WARNING,
    text="The file system of the state directory {path} protects it less against a second worker: {reason}. "
    "Make sure that only one worker uses it, or move it to a local disk.",
):
    """Some network file systems lock only files, or only on one machine."""

    path: str
    reason: str


class ClaimSetAside(
    Event,
    level=WARNING,
    text="This job is not reported as interrupted: {reason}. It is set aside as claim {claim} of the journal. The "
    "engine fails it by itself, unless another worker ends it.",
):
    """`supervisor journal` shows it. After `supervisor journal adopt` the next start reports it; `drop` removes it."""

    job: str
    block: str
    claim: int
    reason: str


class ClaimOver(
    Event,
    level=WARNING,
    text="An earlier run had this job. The engine does not wait for its result any more, so nothing is reported.",
):
    """The engine has a result already, or has given the job up."""

    job: str
    block: str
