"""Events of devices' host keys: which are kept, and which are not."""

from logging import ERROR, INFO, WARNING

from supervisor.log.event import Event


class HostKeyKept(
    Event,
    level=INFO,
    text="The worker knows the host key of {host} port {port} from now on: {key}. The device has shown it to this job "
    "for the first time. Compare it with what the device itself says.",
):
    """The first key that a device shows is accepted (`--host-keys accept-new`)."""

    job: str
    host: str
    port: int
    key: str


class HostKeyAcceptedOnce(
    Event,
    level=INFO,
    text="The host key of {host} port {port} is accepted for this run only: {key}. The device has shown it for the "
    "first time, and nothing is kept at the end of the run. Compare it with what the device itself says; to have it "
    "known, put it into a file and give that to `--known-hosts`.",
):
    """Like `host_key_kept`, for runs that keep no keys: `run-block`, and blocks that tests run."""

    job: str
    host: str
    port: int
    key: str


class HostKeyConflict(
    Event,
    level=ERROR,
    text="This job says that {host} port {port} has the host key {key}, but {known} is known. The known one stays. Two "
    "jobs have seen two devices behind one address, or somebody stands between: compare both with the device. To have "
    "the next one accepted, run `supervisor host-keys forget {host}`.",
):
    """Two jobs met a new device at once and saw different keys, or a block reported a key of its own making."""

    job: str
    host: str
    port: int
    key: str
    known: str


class HostKeyRefused(
    Event,
    level=WARNING,
    text="A host key that this job has seen is not kept: {reason} ({host} port {port}).",
):
    """Keys are kept only for addresses and ports that the engine's job names: `ip`, `hostname` and `connection_options`
    of its devices."""

    job: str
    host: str
    port: int
    reason: str


class HostKeyReportsIgnored(
    Event,
    level=WARNING,
    text="This job has reported more than {reports} host keys. The worker reads no more of them.",
):
    """A job has a few devices, and each has one key to report."""

    job: str
    reports: int


class HostKeysNotStored(
    Event,
    level=ERROR,
    text="New host keys could not be written to {path}: {reason}. The worker knows them until it ends, and tries "
    "again. Check the disk.",
):
    """Jobs go on. The log says it once, until the disk takes the keys again."""

    path: str
    reason: str


class HostKeysStoredAgain(Event, level=INFO, text="The host keys are in {path} again."):
    """The disk has taken the keys that were missing."""

    path: str


class KnownHostsUnreadable(
    Event,
    level=WARNING,
    text="The host keys in {path} can't be read any more: {reason}. What was read before stays in force.",
):
    """The log says it once, until the file can be read again."""

    path: str
    reason: str


class HostKeyLinesUnused(
    Event,
    level=WARNING,
    text="Lines of {path} are not used: {line_numbers}. Each must be `ADDRESS TYPE KEY`, as `ssh-keyscan` prints it.",
):
    """The other lines are in force."""

    path: str
    line_numbers: str


class HostKeyMarkersSkipped(
    Event,
    level=WARNING,
    text="Lines of {path} are skipped, as they begin with @cert-authority or @revoked: {line_numbers}. The worker "
    "checks no certificates of hosts, so devices that only such a line covers count as unknown: add their own keys, as "
    "`ssh-keyscan` prints them. A key that is revoked must stand in no other line.",
):
    """The other lines are in force."""

    path: str
    line_numbers: str
