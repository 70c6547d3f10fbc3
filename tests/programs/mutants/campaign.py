"""One run over many mutants: lanes side by side, each taking the next piece of work."""

import contextlib
import fcntl
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from tests.programs.mutants.book import TrialBook
from tests.programs.mutants.coverage_map import CoverageMap, record
from tests.programs.mutants.digests import TestDigests
from tests.programs.mutants.lane import Lane
from tests.programs.mutants.mutation import Mutant
from tests.programs.mutants.report import Report
from tests.programs.mutants.trial import try_mutant

_Piece = TypeVar("_Piece")
COVERAGE: Final = "coverage"


@contextlib.contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Have this directory for oneself: two runs in the same copies would take each other's mutants for the code.

    Raises `BlockingIOError` where another run has it.
    """
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


class Campaign:
    """The lanes of one run. Use it as a context: at its end, no process of it is left.

    `root` is the checkout, `directory` where copies, recordings and trials are kept for the next run.
    """

    def __init__(self, root: Path, directory: Path, lanes: int) -> None:
        self._root = root
        self._directory = directory
        self._lanes = [Lane(root, directory / f"lane-{number}") for number in range(lanes)]

    def __enter__(self) -> "Campaign":
        """Bring the copies up to date. Raises `CalledProcessError` when one can't be set up."""
        try:
            self._share(self._lanes, lambda _, lane: lane.prepare())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for lane in self._lanes:
            lane.close()

    def recorded(self, files: list[str]) -> CoverageMap:
        """Return which lines these files of tests run; those that have changed are run once for it."""
        coverage = CoverageMap(self._root, self._directory / COVERAGE)
        outdated = coverage.outdated(files)
        if outdated:
            begun = time.monotonic()
            print(f"Recording which lines {len(outdated)} of {len(files)} files of tests run.", flush=True)

            def work(lane: Lane, file: str) -> None:
                recording = record(lane, file)
                for failed in recording["failed"]:
                    print(f"  {failed} fails, so it is left out of this run.", flush=True)
                # Else it was ended, and told nothing; or a test failed, perhaps this once only.
                if recording["exit"] is not None and not recording["failed"]:
                    coverage.keep(file, recording)
                else:
                    coverage.use(file, recording)
                if not recording["tests"]:
                    print(f"  No test of {file} passes or can be used here.", flush=True)

            self._share(outdated, work)
            print(f"Recorded after {time.monotonic() - begun:.0f} s.", flush=True)
        coverage.load(files)
        return coverage

    def tried(
        self,
        mutants: list[Mutant],
        coverage: CoverageMap,
        book: TrialBook,
        report: Report,
        budget_seconds: float,
    ) -> None:
        """Try the mutants, and report each; what an earlier run found out is taken from the book."""
        lock = threading.Lock()
        digests = TestDigests(self._root)

        def work(lane: Lane, mutant: Mutant) -> None:
            covering = coverage.covering(mutant)
            with lock:
                trial = book.known(mutant, digests.of_tests(covering), digests, budget_seconds)
            if trial is None:
                trial = try_mutant(lane, mutant, covering, budget_seconds, digests)
                with lock:
                    book.add(trial)
            with lock:
                report.add(mutant, trial)

        self._share(mutants, work)

    def _share(self, pieces: Sequence[_Piece], work: Callable[[Lane, _Piece], None]) -> None:
        """Have the lanes do all pieces of work, and raise the first error after every lane has stopped."""
        todo: queue.SimpleQueue[_Piece] = queue.SimpleQueue()
        for piece in pieces:
            todo.put(piece)
        errors: list[Exception] = []

        def take(lane: Lane) -> None:
            while not errors:
                try:
                    work(lane, todo.get_nowait())
                except queue.Empty:
                    return
                except Exception as error:
                    errors.append(error)

        # Daemons: when this run is interrupted, nobody waits for the tests that are going on.
        threads = [threading.Thread(target=take, args=(lane,), daemon=True) for lane in self._lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
