"""Whether a change that went wrong ended as it must, and the table of all of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from tests.programs.device_faults.change_cases import CONFIRM_SECONDS
from tests.programs.device_faults.change_running import LATE_SECONDS, ChangeSeen
from tests.programs.device_faults.judging import MESSAGE_CHARS, SLACK_SECONDS, table_with
from tests.programs.device_faults.running import Lateness

_COLUMNS: Final = ("change", "cause", "retry", "longest call", "over", "device", "back", "message")
_NUMBERS: Final = ("longest call", "over", "back")
_TELLS: Final = re.compile(r"in force|NOT as it was before|was being restored|was made, and not confirmed")
_COUNTED: Final = re.compile(r"(\d+) of (\d+) lines are in force, of line")
_JOB_SLACK_SECONDS: Final = 10.0
"""What a job may take beyond its limit: the command in which it is ended would take a minute."""
_SURE: Final = re.compile(r"nothing was sent|Its configuration is as it was before")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One case, judged. `over_seconds` is of the call that was the latest; None where no call was timed."""

    seen: ChangeSeen
    over_seconds: float | None
    problems: tuple[str, ...]


def judge_change(seen: ChangeSeen, lateness: Lateness) -> ChangeRow:
    """Compare what became of a case with what must become of it, and what is told with what the device has."""
    over, allowed = _over(seen, lateness)
    checks = {
        **_result_checks(seen),
        **_device_checks(seen),
        **_process_checks(seen),
        f"a call ended {over:.2f} s after its limit, of {allowed:.2f} s": over <= allowed,
    }
    calls = seen.data.get("calls", [])
    return ChangeRow(
        seen, over if calls else None, tuple(text for text, holds in checks.items() if not holds)
    )


def _result_checks(seen: ChangeSeen) -> dict[str, bool]:
    case, done = seen.case, seen.done
    message = done["message"]
    lines = str(done["lines"])
    everything = f"{message} {done['body']} {lines} {seen.rolled_back['message']}"
    return {
        "it must fail": done["success"] is False,
        f"the verdict must be {case.cause}, not {done['cause']}": done["cause"] == case.cause,
        f"retryable must be {case.retryable}": done["retryable"] is case.retryable,
        f"the message must tell {case.told!r}: {message}": re.search(case.told, message) is not None,
        "the message is a traceback": "Traceback" not in message,
        "a secret is in the result or the log": seen.secret not in everything,
        "a traceback of paramiko is in the log": "paramiko/transport.py" not in lines,
    }


def _device_checks(seen: ChangeSeen) -> dict[str, bool]:
    case, message = seen.case, seen.done["message"]
    is_same, back = seen.after == seen.before, seen.back_seconds
    more = set(seen.after.splitlines()) ^ set(seen.before.splitlines())
    counted = _COUNTED.search(message)
    logged = any("sending a change of" in str(line["text"]) for line in seen.done["lines"])
    bound = CONFIRM_SECONDS + LATE_SECONDS
    return {
        f"the device must be as before, and differs in {sorted(more)}": is_same
        or case.after in ("part", "foreign"),
        "a part of the change must be on the device": not is_same or case.after != "part",
        f"only what another has done may differ: {sorted(more)}": case.after != "foreign" or len(more) == 1,
        f"it had its configuration back after {back} s, of {bound:g} s": back is None or back <= bound,
        "the result says nothing of what is on the device": is_same
        or case.after == "foreign"
        or _TELLS.search(message) is not None,
        "the result says that the device is as before, and it is not": is_same
        or case.after == "foreign"
        or _SURE.search(message) is None,
        f"the result counts {counted and counted[1]} lines, and {len(more)} lines of the device differ": counted
        is None
        or case.after != "part"
        or int(counted[1]) <= len(more) <= int(counted[1]) + 1,
        "the log does not say that a change was begun": logged or is_same or case.after == "foreign",
        "nothing was to be typed": not seen.configured or case.is_typed,
        f"the next job, a rollback, failed: {seen.rolled_back['message']}": seen.rolled_back["success"]
        or case.after == "foreign",
        "the next job, a rollback, called what another has done complete": not seen.rolled_back["success"]
        or case.after != "foreign",
        "after the rollback the text is another one": seen.after_rollback
        == (seen.after if case.after == "foreign" else seen.before),
    }


def _process_checks(seen: ChangeSeen) -> dict[str, bool]:
    data = seen.data
    # A session that is still good is kept for the job: one thread of paramiko, one descriptor.
    threads, descriptors = data.get("threads_left", []), data.get("descriptors_left", [])
    return {
        f"threads were left: {threads}": len(threads) <= 1,
        f"descriptors were left: {descriptors}": len(descriptors) <= 1,
        "another device did not answer afterwards": not data or data["next_device_answered"],
        f"processes were left: {seen.strangers}": not seen.strangers and not seen.done["leftovers"],
    }


def _over(seen: ChangeSeen, lateness: Lateness) -> tuple[float, float]:
    """Return by how much the latest call was over its limit, and by how much it might be."""
    latest, allowed = 0.0, SLACK_SECONDS
    for call in seen.data.get("calls", []):
        over = call["ended"] - call["began"] - call["limit_seconds"]
        if over > latest:
            latest, allowed = over, SLACK_SECONDS + lateness.between(call["began"], call["ended"])
    limit = seen.case.limits
    if limit and (over := seen.done["elapsed"] - limit["max_job_seconds"] - limit["grace_seconds"]) > latest:
        latest, allowed = over, _JOB_SLACK_SECONDS
    return latest, allowed


def table_of_changes(group: str, rows: Sequence[ChangeRow]) -> Table:
    """Return the rows of a group as a table."""
    cells = [_cells(row) for row in rows]
    return table_with(group, _COLUMNS, _NUMBERS, cells, [bool(row.problems) for row in rows])


def _cells(row: ChangeRow) -> list[str]:
    seen = row.seen
    longest = max((call["ended"] - call["began"] for call in seen.data.get("calls", [])), default=None)
    return [
        seen.case.name,
        str(seen.done["cause"]),
        {True: "yes", False: "no", None: ""}[seen.done["retryable"]],
        "" if longest is None else f"{longest:.2f}",
        "" if not row.over_seconds else f"{row.over_seconds:+.2f}",
        "as before" if seen.after == seen.before else "changed",
        "" if seen.back_seconds is None else f"{seen.back_seconds:.1f}",
        re.sub(r"\s+", " ", seen.done["message"])[:MESSAGE_CHARS],
    ]
