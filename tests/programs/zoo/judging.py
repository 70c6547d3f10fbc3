"""Whether each member's job ended as it must, and the table of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sdk.devengine import JobRecord
from tests.faults.processors import Lateness, stood_still
from tests.programs.zoo.keepers import GRACE_SECONDS, LIMIT_SECONDS
from tests.programs.zoo.members import SECRET
from tests.programs.zoo.visit import Visit

SLACK_SECONDS: Final = 0.5
"""What the end of a job may take beyond limit and grace, on a machine that never stands still."""

_MESSAGE_CHARS: Final = 90


@dataclass(frozen=True, slots=True)
class Row:
    """One member. `over_seconds` counts from limit and grace on; negative where it ended before."""

    name: str
    cause: str
    seconds: float
    over_seconds: float
    left: tuple[str, ...]
    message: str
    problems: tuple[str, ...]


def judge(
    visit: Visit, jobs: Mapping[str, JobRecord], causes: Mapping[str, str], standstills: Sequence[Lateness]
) -> Row:
    """Compare what became of a member with what must become of it. `standstills` are by the engine's clock."""
    job, member = jobs[visit.job_id], visit.member
    result: dict[str, Any] = (job.result or {}).get("result", {})
    message = str(result.get("message", ""))
    cause = causes.get(visit.job_id, "")
    seconds = (job.finished_at or 0.0) - (job.claimed_at or 0.0)
    over = seconds - LIMIT_SECONDS - GRACE_SECONDS
    stood_still_seconds = stood_still(standstills, job.claimed_at or 0.0, job.finished_at or 0.0)
    allowed = SLACK_SECONDS + member.extra_seconds + stood_still_seconds
    # A stack may delay the kill by 250 ms: a child that got no processor in this time has written none.
    end_stood_still = stood_still(
        standstills, (job.claimed_at or 0.0) + LIMIT_SECONDS, job.finished_at or 0.0
    )
    has_no_place = member.tells_place and "Where it was" not in message and end_stood_still > 0
    checks = {
        f"the cause must be {' or '.join(member.causes)}": cause in member.causes,
        "success and cause contradict each other": result.get("success") is (cause == "completed"),
        f"the message must tell {member.told!r}": member.told in message or has_no_place,
        "the message holds a secret": SECRET not in str(job.result_text),
        "the engine ended it, not the worker": job.finished_by == "worker",
        f"it ended {over:.2f} s after limit and grace, of {allowed:.2f} s": over <= allowed,
        "the job after it was harmed": _is_plain(jobs[visit.next_job_id], member.name),
        "something was left": not visit.left,
    }
    problems = tuple(text for text, holds in checks.items() if not holds)
    return Row(member.name, cause, seconds, over, visit.left, message, problems)


def _is_plain(job: JobRecord, text: str) -> bool:
    result = (job.result or {}).get("result", {})
    return bool(result.get("success") is True and result.get("data") == {"text": text})


def table(rows: Sequence[Row]) -> str:
    """Return the rows as lines of columns, with the beginning of each message."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'block':<{width}}  {'cause':<14}  {'seconds':>7}  {'over':>6}  {'left':>4}  message"]
    for row in rows:
        over = f"{row.over_seconds:+.2f}" if row.over_seconds > -GRACE_SECONDS - 0.05 else ""
        text = re.sub(r"\s+", " ", row.message).strip()[:_MESSAGE_CHARS]
        lines.append(
            f"{row.name:<{width}}  {row.cause:<14}  {row.seconds:>7.2f}  {over:>6}  {len(row.left):>4}  {text}"
        )
        lines += [f"    NO: {problem}" for problem in row.problems]
        lines += [f"    left: {', '.join(row.left)}"] if row.left else []
    return "\n".join(lines)
