"""Trying one mutant: the tests that run its line, in growing batches, until one fails or the time is up."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.programs.mutants.coverage_map import Test, digest
from tests.programs.mutants.digests import TestDigests
from tests.programs.mutants.lane import Lane
from tests.programs.mutants.mutation import Mutant

_FIRST_BATCH_SECONDS: Final = 2.0
_BATCH_GROWTH: Final = 4
_BATCH_TESTS: Final = 400
_START_SECONDS: Final = 20.0
_SLOWNESS: Final = 8
"""How many times longer than when it was recorded a test may take before it is taken to hang."""
_CONFIRM_SECONDS: Final = 0.3
"""Tests that take longer meet processes and clocks; a kill by one of them is confirmed on the code as it is."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one mutant. `outcome` is `killed`, `survived` or `uncovered`."""

    mutant: str
    source: str
    outcome: str
    by: str = ""
    why: str = ""
    tests: str = ""
    """The digest of the file that killed it, or of all tests that it survived (`TestDigests`)."""
    seconds: float = 0.0
    tried: int = 0
    covering: int = 0
    budget_seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return what the book of trials keeps."""
        return asdict(self)


def try_mutant(
    lane: Lane, mutant: Mutant, covering: list[Test], budget_seconds: float, digests: TestDigests
) -> Trial:
    """Run the tests against the mutant, for about `budget_seconds` of their time at most."""
    source = digest(lane.checkout / mutant.file)
    if not covering:
        return Trial(mutant.identity, source, "uncovered", tests=digests.of_tests(covering))
    tried, spent, unreliable = 0, 0.0, set[str]()
    for batch in _batches(covering, budget_seconds):
        while usable := [test for test in batch if test.node not in unreliable]:
            estimate = sum(test.seconds for test in usable)
            with lane.holding(mutant):
                report = _run(lane, usable)
            spent += report["seconds"]
            if report["in_time"] and report["exit"] == 0:
                break
            by, why = report["failed"] or "", report.get("why", "")
            if not report["in_time"]:
                by, why = (
                    by or usable[0].node,
                    f"not ended after {report['seconds']:.0f} s (else {estimate:.0f} s)",
                )
            suspect = [test for test in usable if test.node == by] or usable
            if _must_be_confirmed(report, suspect) and not _passes(lane, suspect):
                unreliable |= {test.node for test in suspect}
                continue
            file = digests.of_files([by.partition("::")[0]])
            return Trial(
                mutant.identity, source, "killed", by, why[-500:], file, spent, tried + 1, len(covering)
            )
        tried += len(batch)
    return Trial(
        mutant.identity, source, "survived", tests=digests.of_tests(covering), seconds=spent, tried=tried,
        covering=len(covering), budget_seconds=budget_seconds,
    )  # fmt: skip


def _must_be_confirmed(report: dict[str, Any], suspect: list[Test]) -> bool:
    return not report["in_time"] or any(test.seconds > _CONFIRM_SECONDS for test in suspect)


def _passes(lane: Lane, tests: list[Test]) -> bool:
    report = _run(lane, tests)
    return bool(report["in_time"] and report["exit"] == 0)


def _run(lane: Lane, tests: list[Test]) -> dict[str, Any]:
    longest = max(test.seconds for test in tests)
    limit = _START_SECONDS + _SLOWNESS * sum(test.seconds for test in tests)
    return lane.run([test.node for test in tests], limit, int(_START_SECONDS + _SLOWNESS * longest))


def _batches(tests: list[Test], budget_seconds: float) -> list[list[Test]]:
    """Cut the tests into batches that grow, so that the first failure comes soon and a survivor costs few starts."""
    batches: list[list[Test]] = []
    batch: list[Test] = []
    room, held, total = _FIRST_BATCH_SECONDS, 0.0, 0.0
    for test in tests:
        if total and total + test.seconds > budget_seconds:
            break
        if batch and (held + test.seconds > room or len(batch) >= _BATCH_TESTS):
            batches.append(batch)
            batch, held, room = [], 0.0, room * _BATCH_GROWTH
        batch.append(test)
        held += test.seconds
        total += test.seconds
    return [*batches, batch]
