"""What is known of mutants: trials of earlier runs, and judgements of people with their reasons."""

import json
import tomllib
from pathlib import Path

from tests.programs.mutants.coverage_map import digest
from tests.programs.mutants.digests import TestDigests
from tests.programs.mutants.mutation import Mutant
from tests.programs.mutants.trial import Trial


class TrialBook:
    """The trials so far, a line each, so that a run that is interrupted goes on where it was."""

    def __init__(self, root: Path, path: Path) -> None:
        self._root = root
        self._path = path
        self._trials: dict[str, Trial] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                # The last line may be half written.
                if line.endswith("}"):
                    trial = Trial(**json.loads(line))
                    self._trials[trial.mutant] = trial

    def add(self, trial: Trial) -> None:
        """Keep a trial, also if this process ends now."""
        self._trials[trial.mutant] = trial
        with self._path.open("a") as book:
            book.write(json.dumps(trial.as_json()) + "\n")

    def known(
        self, mutant: Mutant, covering: str, digests: TestDigests, budget_seconds: float
    ) -> Trial | None:
        """Return the trial of a mutant if it still holds. `covering` is the digest of the tests that run its line.

        It holds while the mutated file is the same and the test that killed it is, or all that it survived are, with
        what these import of the tests. Where not all were tried for want of time, only with no greater budget.
        """
        trial = self._trials.get(mutant.identity)
        if trial is None or trial.source != digest(self._root / mutant.file):
            return None
        if trial.outcome == "killed":
            return trial if trial.tests == digests.of_files([trial.by.partition("::")[0]]) else None
        has_room = trial.tried < trial.covering and budget_seconds > trial.budget_seconds
        return trial if trial.tests == covering and not has_room else None


class Judgements:
    """The mutants that people have looked at: `equivalent` ones change nothing that anybody could notice."""

    def __init__(self, path: Path) -> None:
        self._judged: dict[str, tuple[str, str]] = {}
        for entry in tomllib.loads(path.read_text()).get("mutant", []):
            self._judged[entry["is"]] = (entry["judged"], entry["reason"])

    def is_equivalent(self, identity: str) -> bool:
        """Whether this mutant was judged to be the same program."""
        return self._judged.get(identity, ("", ""))[0] == "equivalent"

    def reason(self, identity: str) -> str:
        """Return the reason that was written down, or an empty text."""
        return self._judged.get(identity, ("", ""))[1]

    def outdated(self, existing: list[Mutant]) -> list[str]:
        """Return judged mutants that the code no longer has, of the files that all these are of."""
        files = {mutant.file for mutant in existing}
        names = {mutant.identity for mutant in existing}
        return [name for name in self._judged if name.partition("::")[0] in files and name not in names]
