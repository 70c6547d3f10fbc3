"""The workers that are compared: how each is started, and where one can't be had, why."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.programs.compat import environments

BLOCKS: Final = Path(__file__).parent / "shared_blocks"
POLL_SECONDS: Final = 0.05
"""Often, so that a job does not wait to be claimed: that wait is in no figure."""

LIMIT_SECONDS: Final = 3
"""Of a job of this worker, in the cases of hanging blocks. The others have no such limit."""

KEYS: Final = ("ours", "spawn", "pool", "reference", "fastest")
OF_THE_OTHER_SDK: Final = frozenset({"reference", "fastest"})


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker is started with."""

    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Competitor:
    """One worker of the table. `one_at_a_time` and `at_once` are how many jobs it is given in a round."""

    key: str
    name: str
    start: Callable[[str, Path, int], Start]
    """Takes the engine's address, a directory of its own, and the slots."""
    one_at_a_time: int
    at_once: int
    id_grammar: str = "0.42"
    missing: str = ""
    """Why it can't be run here; empty where it can."""


def _ours(url: str, directory: Path, slots: int) -> Start:
    settings = {
        "--engine-url": url,
        "--function-blocks": str(BLOCKS),
        "--state-dir": str(directory / "state"),
        "--max-concurrent-jobs": f"{slots}",
        "--poll-seconds": f"{POLL_SECONDS}",
        "--max-job-seconds": f"{LIMIT_SECONDS}",
        "--grace-seconds": "0.5",
        "--shutdown-timeout-seconds": "1",
    }
    words = [word for pair in settings.items() for word in pair]
    return Start([sys.executable, "-m", "supervisor", *words])


def _naive(way: str) -> Callable[[str, Path, int], Start]:
    def start(url: str, directory: Path, slots: int) -> Start:
        module = "tests.programs.bench.competitors.naive"
        words = ["--engine-url", url, "--slots", f"{slots}", "--poll-seconds", f"{POLL_SECONDS}"]
        return Start([sys.executable, "-m", module, way, *words])

    return start


def _reference(environment: Path, variables: dict[str, str]) -> Callable[[str, Path, int], Start]:
    def start(url: str, directory: Path, slots: int) -> Start:
        # It runs one job at a time, whatever is asked for: it has no setting for that.
        command = [str(environments.interpreter_of(environment).with_name("neops_worker"))]
        return Start(command, {"URL_BLACKBOARD": url, "DIR_FUNCTION_BLOCKS": str(BLOCKS), **variables})

    return start


def competitors(reference: Path, missing: str) -> list[Competitor]:
    """Return the workers in the order of the table. `reference` is where the other SDK is installed, if it is."""
    fastest = {"POLL_INTERVAL": "0", "BLOCKING_DETECTION_THRESHOLD": "0"}
    sdk = environments.REQUIREMENT.replace("==", " ")
    return [
        Competitor("ours", "this worker", _ours, 40, 160),
        Competitor("spawn", "a process spawned for each job", _naive("spawn"), 10, 16),
        Competitor("pool", "concurrent.futures, a child for each task", _naive("pool"), 10, 16),
        Competitor("reference", f"{sdk}, defaults", _reference(reference, {}), 2, 10, "0.43", missing),
        Competitor(
            "fastest", f"{sdk}, fastest settings", _reference(reference, fastest), 10, 10, "0.43", missing
        ),
    ]
