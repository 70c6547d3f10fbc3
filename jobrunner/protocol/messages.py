"""Every header that may travel between supervisor, template and child, as validated pydantic models."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from jobrunner.protocol.caps import (
    CHANGES_CAP,
    DEVICE_CAP_CHARS,
    FIELD_CAP_CHARS,
    FIELDS_CAP,
    HOST_CAP_CHARS,
    HOST_KEY_CAP_CHARS,
    LINES_CAP,
    LOG_CAP_CHARS,
    LOGGER_CAP_CHARS,
    MESSAGE_CAP_CHARS,
    NAMES_CAP,
    SECRET_CAP_CHARS,
    SESSIONS_CAP,
    WARNING_CAP_CHARS,
    checked_fields,
)
from jobrunner.protocol.frames import Frame, FrameError, pack, pack_parts

JobType = Literal["acquire", "execute", "rollback"]
FieldName = Annotated[str, Field(max_length=100)]
SessionNumber = Annotated[int, Field(ge=1, le=SESSIONS_CAP)]
FieldValue = Annotated[str, Field(max_length=FIELD_CAP_CHARS)] | bool | int | float | None
Fields = Annotated[dict[FieldName, FieldValue], Field(max_length=FIELDS_CAP), AfterValidator(checked_fields)]
HeaderT = TypeVar("HeaderT")
HostKeyCheck = Literal["strict", "accept-new", "off"]
RunOn = Literal["global", "device", "interface", "group", "client"]


class Header(BaseModel):
    """Base class of all headers: frozen, and closed, so that a misspelt field fails where it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def pack(self, payload: bytes = b"") -> bytes:
        """Return this header and `payload` as one frame."""
        return pack(self.model_dump_json(exclude_none=True).encode(), payload)

    def pack_parts(self, payload: Sequence[bytes]) -> list[bytes | memoryview]:
        """Return this header and the parts of a payload as one frame, in pieces: see `frames.pack_parts`."""
        return pack_parts(self.model_dump_json(exclude_none=True).encode(), payload)


class Ready(Header):
    """Child to supervisor: warmed up, waiting for one order. What it has used so far does not count for its job."""

    type: Literal["ready"] = "ready"
    pid: int
    cpu_seconds: float = Field(default=0, ge=0, allow_inf_nan=False)
    peak_memory_kb: int = Field(default=0, ge=0, le=2**40)
    """In units of 1024 bytes."""


class NotIsolated(Header):
    """Child to supervisor: after its order, it could not be isolated as ordered. It has run nothing, and ends.

    An exit code alone is not enough: any program may end with the same code.
    """

    type: Literal["not_isolated"] = "not_isolated"


class Join(Header):
    """Supervisor to child, before its order: make and enter the payload's cgroups (NUL between), send `Ready` again."""

    type: Literal["join"] = "join"


class Order(Header):
    """Supervisor to child: this is your job. The child gets ready for it, runs nothing of it, and waits for `Begin`."""

    type: Literal["order"] = "order"
    job_id: str
    block_id: str
    job_type: JobType
    run_on: RunOn
    entity_id: int | float | None = None
    step_label: str | None = None
    job_directory: str
    log_level: int
    log_levels: Annotated[dict[str, int], Field(max_length=NAMES_CAP)] = {}
    """Levels of single loggers, by name."""
    redact_keys: Annotated[tuple[str, ...], Field(max_length=NAMES_CAP)] = ()
    """Additional parts of names, besides the built-in ones, that make a name secret."""
    result_cap_bytes: int
    host_keys: HostKeyCheck = "accept-new"
    """What to do with a device whose host key is unknown."""
    stall_seconds: float | None = None
    """After how many seconds of silence its event loop counts as stalled."""
    blocking_seconds: float | None = None
    """After how many seconds without an await its code counts as blocking. Without both, the loop does not tick."""
    sessions_per_device: int = Field(default=0, ge=0)
    """How many sessions all jobs together may have on a device. With 0 the child need not ask."""


class Begin(Header):
    """Supervisor to child: run the job of the order. The payload (`Job.payload`) holds passwords; no header does."""

    type: Literal["begin"] = "begin"
    deadline: float
    """On `CLOCK_MONOTONIC`, which all processes of one machine share."""


class Cancel(Header):
    """Supervisor to child: stop the block at its next await; the reason is for people."""

    type: Literal["cancel"] = "cancel"
    reason: str


class SessionGranted(Header):
    """Supervisor to child: the session with this number may be opened now."""

    type: Literal["session_granted"] = "session_granted"
    number: SessionNumber


class SessionWanted(Header):
    """Child to supervisor: may a session on this device be opened? The answer comes when there is room for it.

    `number` is the child's own, one for each session. `device` is any text that is always the same for one device.
    """

    type: Literal["session_wanted"] = "session_wanted"
    number: SessionNumber
    device: str = Field(max_length=DEVICE_CAP_CHARS)


class SessionClosed(Header):
    """Child to supervisor: the session with this number is closed, or no longer wanted."""

    type: Literal["session_closed"] = "session_closed"
    number: SessionNumber


class DeviceChange(Header):
    """Child to supervisor: how far a change of a device's configuration is. Sent before a line of that stage is typed.

    It is for the result of a killed job, which can't say itself what it has left on a device. `number` is the child's
    own, one for each change; a later message with the same number replaces the earlier one. With `timer_seconds` the
    device itself takes the change back. `over`: nothing of it is in force.
    """

    type: Literal["device_change"] = "device_change"
    number: int = Field(ge=1, le=CHANGES_CAP)
    device: str = Field(max_length=DEVICE_CAP_CHARS, pattern=r"^[^\x00-\x1f\x7f]*$")
    stage: Literal["changing", "changed", "restoring", "over"]
    lines: int = Field(ge=0, le=LINES_CAP)
    timer_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Log(Header):
    """Child or template to supervisor: one log record, cut by `cut_chars` at its end, with its author's `fields`."""

    type: Literal["log"] = "log"
    level: int = Field(ge=0, le=1000)
    logger: str = Field(max_length=LOGGER_CAP_CHARS)
    text: str = Field(max_length=LOG_CAP_CHARS)
    created: float = Field(allow_inf_nan=False)
    cut_chars: int = Field(default=0, ge=0)
    fields: Fields = {}


class Secret(Header):
    """Child to supervisor: a secret that the block has set itself, such as a device's new password.

    It can only lead to more masking: the supervisor knows what the order holds without the child.
    """

    type: Literal["secret"] = "secret"
    value: str = Field(max_length=SECRET_CAP_CHARS, repr=False)


class HostKey(Header):
    """Child to supervisor: a host key that a device or a jump host has shown, for which no key was known.

    It is kept only for an address and port of the job's own devices, and never replaces another one. Nothing in it
    can end the field or the line of a known-hosts file.
    """

    type: Literal["host_key"] = "host_key"
    host: str = Field(min_length=1, max_length=HOST_CAP_CHARS, pattern=r"^[0-9A-Za-z._:%\-]+$")
    port: int = Field(ge=1, le=65535)
    key_type: str = Field(max_length=64, pattern=r"^[a-z0-9@.\-]+$")
    key: str = Field(max_length=HOST_KEY_CAP_CHARS, pattern=r"^[A-Za-z0-9+/]+=*$")


class Tick(Header):
    """Child to supervisor: the event loop of the job runs.

    A loop that `sleeps` waits for something to happen, and does not tick before that.
    """

    type: Literal["tick"] = "tick"
    sleeps: Literal[True] | None = None


class Blocking(Header):
    """Child to supervisor: code of the block holds up the event loop. Once for each line.

    `since` is on `CLOCK_MONOTONIC`; `text` is the whole warning.
    """

    type: Literal["blocking"] = "blocking"
    file: str = Field(max_length=4096)
    line: int = Field(ge=0)
    since: float
    text: str = Field(max_length=LOG_CAP_CHARS)


class Outcome(Header):
    """Child to supervisor: how the block ended, as the child sees it.

    `raised` is true if the block raised, not if it returned failure. `warning` names calls without `await`.
    Payload: `body_bytes` bytes of JSON object (`data`, `dbUpdates`), then the JSON array of acquires, if any.
    """

    type: Literal["outcome"] = "outcome"
    success: bool
    message: str = Field(max_length=MESSAGE_CAP_CHARS)
    retryable: bool | None = None
    raised: bool = False
    warning: str = Field(default="", max_length=WARNING_CAP_CHARS)
    body_bytes: int = Field(ge=0)


class Importing(Header):
    """Template to supervisor: about to import this module. If it is silent afterwards, it hangs in it or died of it."""

    type: Literal["importing"] = "importing"
    module: str
    file: str | None = None


class CatalogueReady(Header):
    """Template to supervisor: every module was tried; the payload is the catalogue's JSON."""

    type: Literal["catalogue"] = "catalogue"
    forks_once: bool = False
    """Whether the template can start session holders, whose forks are the supervisor's children at once."""


ReportFromChild = (
    Ready
    | NotIsolated
    | Log
    | Secret
    | SessionWanted
    | SessionClosed
    | DeviceChange
    | HostKey
    | Tick
    | Blocking
)
"""The messages of a child before its outcome."""

MessageFromChild = ReportFromChild | Outcome
FromChild = Annotated[MessageFromChild, Field(discriminator="type")]
FromTemplate = Annotated[Importing | Log | CatalogueReady, Field(discriminator="type")]
ToChild = Annotated[Join | Order | Begin | Cancel | SessionGranted, Field(discriminator="type")]

_MOST_PROBLEMS: Final = 20
_FROM_CHILD: TypeAdapter[MessageFromChild] = TypeAdapter(FromChild)
_FROM_TEMPLATE: TypeAdapter[Importing | Log | CatalogueReady] = TypeAdapter(FromTemplate)
_TO_CHILD: TypeAdapter[Join | Order | Begin | Cancel | SessionGranted] = TypeAdapter(ToChild)


def _validated(adapter: TypeAdapter[HeaderT], frame: Frame) -> HeaderT:
    try:
        return adapter.validate_json(frame.header)
    except ValidationError as error:
        if error.error_count() > _MOST_PROBLEMS:  # to describe each would hold up the supervisor's loop
            raise FrameError("not a valid header: nothing in it is right", incomplete=False) from None
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        # This message is the only one of pydantic's that repeats its input, which may be a password.
        reason = "unknown type" if first["type"] == "union_tag_invalid" else first["msg"]
        raise FrameError(f"not a valid header: {reason}", incomplete=False) from None


def from_child(frame: Frame) -> MessageFromChild:
    """Validate what a child sent. Raises `FrameError` for anything else. Values are not repeated in it."""
    return _validated(_FROM_CHILD, frame)


def from_template(frame: Frame) -> Importing | Log | CatalogueReady:
    """Validate what a template sent. Raises `FrameError` for anything else."""
    return _validated(_FROM_TEMPLATE, frame)


def to_child(frame: Frame) -> Join | Order | Begin | Cancel | SessionGranted:
    """Validate what the supervisor sent. Raises `FrameError` for anything else."""
    return _validated(_TO_CHILD, frame)
