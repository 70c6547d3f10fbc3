"""One job's outcome beside the one that was kept of the reference worker."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.programs.compat.outcomes import Outcome

_DIFFERENCES: Final = Path(__file__).parent / "differences.json"
_COMPARED: Final = ("success", "message", "data", "acquires", "dbUpdates")


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference that is meant: why, and what our outcome must be in these parts.

    `says` are texts that our message must hold, in the place of the reference's message.
    """

    reason: str
    says: tuple[str, ...] = ()
    parts: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The judgement of one job. `problem` is empty when all is as it must be."""

    job: str
    verdict: str
    problem: str = ""


def read_differences(mode: str) -> dict[str, Difference]:
    """Return the differences that are meant in this mode, by the jobs' names."""
    listed = json.loads(_DIFFERENCES.read_text(encoding="utf-8"))
    return {
        name: Difference(each["reason"], tuple(each.get("says", ())), each.get("parts"))
        for name, each in listed.items()
        if mode in each.get("modes", [mode])
    }


def compare(job: str, kept: Outcome | None, ours: Outcome, meant: Difference | None) -> Row:
    """Return the judgement of one job. A difference that is listed and is not there is a problem as well."""
    if kept is None:
        return Row(job, "unknown", "the reference worker has never run it: make reference")
    other = [part for part in _COMPARED if kept.get(part) != ours.get(part)]
    if meant is None:
        return Row(job, "different", _told(other, kept, ours)) if other else Row(job, "same")
    if not other:
        return Row(job, "same", f"it is listed as different ({meant.reason}), and is not")
    expected = {**kept, **(meant.parts or {})}
    wrong = [part for part in _COMPARED if part != "message" and expected.get(part) != ours.get(part)]
    if not meant.says and expected["message"] != ours.get("message"):
        wrong.append("message")
    if wrong:
        return Row(job, "different", _told(wrong, expected, ours))
    if missing := [text for text in meant.says if text not in str(ours.get("message"))]:
        return Row(job, "different", f"the message {ours.get('message')!r} does not say {missing}")
    return Row(job, f"as listed: {meant.reason}")


def _told(parts: list[str], expected: Outcome, ours: Outcome) -> str:
    return "\n".join(
        f"{part}\n    expected {json.dumps(expected.get(part), ensure_ascii=False)}"
        f"\n    found    {json.dumps(ours.get(part), ensure_ascii=False)}"
        for part in parts
    )
