"""What a run says: a line for each mutant that survives, and how many of the valid ones were killed."""

import time
from collections import Counter, defaultdict

from tests.programs.mutants.book import Judgements
from tests.programs.mutants.mutation import Mutant
from tests.programs.mutants.trial import Trial


class Report:
    """Collects the trials of one run."""

    def __init__(self, judgements: Judgements, expected: int) -> None:
        self.judgements = judgements
        self._expected = expected
        self._trials: list[tuple[Mutant, Trial]] = []
        self._begun = time.monotonic()

    def add(self, mutant: Mutant, trial: Trial) -> None:
        """Take one trial, and print it if the mutant lives."""
        self._trials.append((mutant, trial))
        if trial.outcome != "killed" and not self.judgements.is_equivalent(mutant.identity):
            seconds = f"{trial.tried} of {trial.covering} tests, {trial.seconds:.0f} s"
            print(
                f"{trial.outcome}: {mutant.file}:{mutant.line} ({seconds})\n    {mutant.identity}", flush=True
            )
        done = len(self._trials)
        if done % 100 == 0:
            print(f"  {done} of {self._expected}, {time.monotonic() - self._begun:.0f} s", flush=True)

    @property
    def percent_killed(self) -> float:
        """How many of the valid mutants were killed; those judged equivalent are not valid."""
        valid = [trial for mutant, trial in self._trials if not self._is_equivalent(mutant, trial)]
        return 100 * sum(trial.outcome == "killed" for trial in valid) / len(valid) if valid else 100.0

    def show(self, outdated: list[str]) -> None:
        """Print the table."""
        rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for mutant, trial in self._trials:
            outcome = "equivalent" if self._is_equivalent(mutant, trial) else trial.outcome
            rows[mutant.file][outcome] += 1
        print(f"\n{'file':<50} {'killed':>7} {'survived':>9} {'uncovered':>10} {'equivalent':>11}")
        for name, row in [*sorted(rows.items()), ("all", sum(rows.values(), Counter()))]:
            print(
                f"{name:<50} {row['killed']:>7} {row['survived']:>9} {row['uncovered']:>10} {row['equivalent']:>11}"
            )
        total = sum(rows.values(), Counter())
        valid = total.total() - total["equivalent"]
        seconds = time.monotonic() - self._begun
        print(f"\n{self.percent_killed:.1f} % of {valid} valid mutants killed, in {seconds:.0f} s.")
        for name in outdated:
            print(f"judged.toml names a mutant that the code no longer has: {name}")

    def _is_equivalent(self, mutant: Mutant, trial: Trial) -> bool:
        return trial.outcome != "killed" and self.judgements.is_equivalent(mutant.identity)
