"""Is a result that the worker sent the truth about its job?"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from tests.programs.chaos.claims import Claim, runs_of
from tests.programs.chaos.history import History
from tests.programs.chaos.mix import BIG_CHARACTERS, FAILING, SUCCEEDING, Asked

_BEFORE: Final = 1.0
_STANDSTILL_SECONDS: Final = 0.5
"""A job that ends by itself takes 0.6 s at most. It needs the rest of its time for a machine that stands still."""
_KILLED_CHILD: Final = ("kill child",)
_KILLED_WORKER: Final = ("kill supervisor", "kill keeper")


def untruth(history: History, claim: Claim) -> str | None:
    """Return what is wrong with the result of a claim, or `None`."""
    asked = Asked.of(claim.job.item)
    try:
        result: dict[str, Any] = json.loads(claim.result_text)["result"]
    except (ValueError, KeyError):
        return "its result can't be read"
    if strangers := set(re.findall(r"word-\d+-\d+-[0-9a-f]+", claim.result_text)) - {asked.word}:
        return f"its result holds data of another job: {strangers}"
    if result["success"]:
        return _untrue_success(asked, result)
    return _untrue_failure(history, claim, asked, str(result.get("message", "")))


def _untrue_success(asked: Asked, result: dict[str, Any]) -> str | None:
    if asked.act not in SUCCEEDING:
        return f"{asked.act} can't succeed, and did: {result}"[:200]
    padding = "x" * BIG_CHARACTERS if asked.act == "big" else ""
    if result.get("data") != {"word": asked.word, "padding": padding}:
        return f"{asked.act} returned other data: {result}"[:200]
    return None


def _untrue_failure(history: History, claim: Claim, asked: Asked, message: str) -> str | None:
    expected = FAILING.get(asked.act)
    if expected and re.search(expected.replace("{word}", re.escape(asked.word)), message, re.MULTILINE):
        return None
    for pattern, is_true in _CAUSED.items():
        if re.search(pattern, message):
            reason = is_true(history, claim)
            return None if reason is None else f"{asked.act} failed, {reason}: {message[:160]!r}"
    return f"{asked.act} failed for no reason that this test has caused: {message[:200]!r}"


def _after_kill_of_worker(history: History, claim: Claim) -> str | None:
    deeds = history.deeds_between(claim.claimed_at - _BEFORE, claim.finished_at, *_KILLED_WORKER)
    return None if deeds else "but the worker was not killed"


def _by_our_kill(history: History, claim: Claim) -> str | None:
    pids = {run.pid for run in runs_of(history, claim)}
    deeds = history.deeds_between(claim.claimed_at - _BEFORE, claim.finished_at, *_KILLED_CHILD)
    # Without a trace the child was killed between its order and the block's first line.
    return None if any(deed.pid in pids for deed in deeds) or (deeds and not pids) else "and nobody killed it"


def _not_run(history: History, claim: Claim) -> str | None:
    return "but it ran" if runs_of(history, claim) else None


def _while_nobody_read(history: History, claim: Claim) -> str | None:
    # A worker that stands still takes no output: a block that prints much waits for it, and its time runs.
    deeds = history.deeds_between(claim.claimed_at, claim.finished_at, "stop supervisor")
    if deeds or history.stood_still(claim.claimed_at, claim.finished_at) > _STANDSTILL_SECONDS:
        return None
    return "but the worker was not stopped"


def _on_full_disk(history: History, claim: Claim) -> str | None:
    deeds = history.deeds_between(claim.claimed_at - _BEFORE, claim.finished_at, "disk full")
    return None if deeds else "but the disk was not full"


_CAUSED: Final[dict[str, Callable[[History, Claim], str | None]]] = {
    r"^This worker ended while the job ran": _after_kill_of_worker,
    r"^Crashed with SIGKILL": _by_our_kill,
    r"^Not run: its directory": _on_full_disk,
    r"^Not run: ": _not_run,
    r"which knows nothing of it": lambda history, claim: None,
    r"or somebody killed the last run of this worker before": _after_kill_of_worker,
    r"No space left on device": _on_full_disk,
    r"^(Killed|Ended) at its time limit": _while_nobody_read,
}
"""The failures that this test causes, and how to tell that it did."""
