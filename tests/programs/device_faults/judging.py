"""Whether a case ended as it must, and the table of all cases."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import JustifyMethod
from rich.table import Table

from tests.programs.device_faults.limits import PATIENT_SECONDS
from tests.programs.device_faults.running import ESCAPES, Lateness, Seen

SLACK_SECONDS: Final = 0.5
"""What a call may take beyond its limit, on a machine that is never late itself."""

THREADS_SECONDS: Final = 5.0
MESSAGE_CHARS: Final = 160
_COLUMNS: Final = ("bad input", "call", "cause", "retry", "seconds", "over", "threads gone", "message")
_NUMBERS: Final = ("seconds", "over", "threads gone")


@dataclass(frozen=True, slots=True)
class Row:
    """One case, judged. `over_seconds` counts from the limit of the call that failed; None where nothing was timed."""

    seen: Seen
    over_seconds: float | None
    allowed_seconds: float
    problems: tuple[str, ...]


def judge(seen: Seen, lateness: Lateness) -> Row:
    """Compare what became of a case with what must become of it."""
    if seen.form is ESCAPES:
        return _judge_escaped(seen)
    case, data, done = seen.case, seen.data, seen.done
    if not data:
        return Row(seen, None, 0.0, (f"the job itself ended: {done['cause']}: {done['message']}",))
    limit = case.parameters.get("command_seconds" if _in_command(seen) else "login_seconds", PATIENT_SECONDS)
    over = data["call_ended"] - data["call_began"] - limit
    allowed = SLACK_SECONDS + lateness.between(data["call_began"], data["call_ended"])
    cause = data["cause"]
    # A session that is still good is kept for the job: one thread of paramiko, one descriptor.
    kept = 1 if case.keeps_session else 0
    checks = {
        f"the cause must be {' or '.join(case.causes) or 'none'}": cause in case.causes
        or (case.works and not cause),
        f"retryable must be {case.retryable}": case.works or data["retryable"] is case.retryable,
        f"the message must tell {case.told!r}": case.told in data["message"],
        "an answer must come": not case.works or data["output_bytes"] > 0,
        f"it must {'' if case.is_cut else 'not '}be marked as cut": data["is_cut"] is case.is_cut,
        f"it must {'' if case.is_refused else 'not '}be marked as refused": data["is_refused"]
        is case.is_refused,
        f"it ended {over:.2f} s after its limit, of {allowed:.2f} s": over <= allowed,
        f"threads were left after {THREADS_SECONDS:g} s: {data['threads_left']}": len(data["threads_left"])
        <= kept,
        f"descriptors were left: {data['descriptors_left']}": len(data["descriptors_left"]) <= kept,
        "another device did not answer afterwards": data["next_device_answered"],
        **_common_checks(seen),
    }
    return Row(seen, over, allowed, tuple(text for text, holds in checks.items() if not holds))


def _judge_escaped(seen: Seen) -> Row:
    """A `DeviceError` that leaves the block is a failed result with its message and its `retryable`."""
    case, done = seen.case, seen.done
    checks = {
        "success must be what the case says": done["success"] is case.works,
        f"retryable must be {case.retryable}": case.works or done["retryable"] is case.retryable,
        f"the message must tell {case.told!r}": case.works or case.told in done["message"],
        "the message is a traceback": "Traceback" not in done["message"],
        **_common_checks(seen),
    }
    return Row(seen, None, 0.0, tuple(text for text, holds in checks.items() if not holds))


def _common_checks(seen: Seen) -> dict[str, bool]:
    everything = f"{seen.done['message']} {seen.done['body']} {seen.done['lines']}"
    return {
        f"the next job was harmed: {seen.next_job}": not seen.next_job,
        f"processes were left: {seen.strangers}": not seen.strangers and not seen.done["leftovers"],
        "a secret is in the result or the log": not any(secret in everything for secret in seen.secrets),
        "a traceback of paramiko is in the log": "paramiko/transport.py" not in everything,
    }


def _in_command(seen: Seen) -> bool:
    return bool(seen.data["last_call"] == "send_command")


def table_of(group: str, rows: Sequence[Row]) -> Table:
    """Return the rows of a group as a table."""
    cells = [_cells(row) for row in rows]
    return table_with(group, _COLUMNS, _NUMBERS, cells, [bool(row.problems) for row in rows])


def table_with(
    title: str,
    columns: Sequence[str],
    numbers: Sequence[str],
    cells: Sequence[Sequence[str]],
    are_bad: Sequence[bool],
) -> Table:
    """Return a table whose last column is a message: that alone may be cut to fit."""
    table = Table(title=title, title_justify="left", expand=True, highlight=False)
    for number, name in enumerate(columns):
        is_message = name == columns[-1]
        width = None if is_message else max(len(name), *(len(each[number]) for each in cells))
        justify: JustifyMethod = "right" if name in numbers else "left"
        ratio = 1 if is_message else None
        table.add_column(name, justify=justify, no_wrap=True, overflow="ellipsis", width=width, ratio=ratio)
    for each, is_bad in zip(cells, are_bad, strict=True):
        table.add_row(*each, style="red" if is_bad else "")
    return table


def _cells(row: Row) -> list[str]:
    seen, data = row.seen, row.seen.data
    message = str(data.get("message") or seen.done["message"])
    seconds = data["call_ended"] - data["call_began"] if data else None
    gone = data.get("threads_seconds")
    return [
        seen.case.name,
        seen.form.name,
        str(data.get("cause") or ("works" if data else seen.done["cause"])),
        {True: "yes", False: "no", None: ""}[data.get("retryable", seen.done["retryable"])],
        "" if seconds is None else f"{seconds:.2f}",
        "" if row.over_seconds is None or row.over_seconds < -0.05 else f"{row.over_seconds:+.2f}",
        "" if gone is None else f"{gone:.2f}",
        re.sub(r"\s+", " ", message)[:MESSAGE_CHARS],
    ]
