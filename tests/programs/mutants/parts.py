"""Which parts of the code are mutated: the pure ones wholly, a sample of the others."""

from pathlib import Path
from typing import Final

from tests.programs.mutants.mutation import Mutant, mutants_of

PURE: Final = (
    "supervisor/lifecycle/*.py",
    "supervisor/verdict/*.py",
    "supervisor/worker/outbox.py",
    "supervisor/worker/result_answers.py",
    "supervisor/engine/backoff.py",
    "jobrunner/protocol/frames.py",
    "jobrunner/protocol/masking/*.py",
    "sdk/encoding/*.py",
    "sdk/parsing/*.py",
    "sdk/context/changes.py",
)
"""No input, output, clock or process: every mutant is tried."""

SAMPLED: Final = (
    "supervisor/launcher/*.py",
    "supervisor/watch/*.py",
    "supervisor/job/execution.py",
    "supervisor/job/channel.py",
    "supervisor/job/runner.py",
    "supervisor/worker/dispatch.py",
    "supervisor/worker/delivery.py",
    "supervisor/journal/*.py",
    "supervisor/process/*.py",
    "supervisor/process/cgroups/*.py",
    "jobrunner/*.py",
    "jobrunner/discovery/*.py",
    "jobrunner/protocol/messages.py",
    "jobrunner/protocol/control.py",
    "jobrunner/protocol/catalogue.py",
    "jobrunner/protocol/caps.py",
    "jobrunner/protocol/linux.py",
)
"""What meets the kernel, the disk and the network: a sample is tried, since these tests take seconds."""


PARTS: Final = {"pure": PURE, "sampled": SAMPLED, "all": PURE + SAMPLED}
"""The names that the command line takes."""


def mutants_in(root: Path, patterns: tuple[str, ...]) -> list[Mutant]:
    """Return every mutant of the files below `root` that match, in a stable order."""
    files = sorted({path for pattern in patterns for path in root.glob(pattern)})
    return [
        mutant
        for path in files
        for mutant in mutants_of(path.relative_to(root).as_posix(), path.read_bytes())
    ]
