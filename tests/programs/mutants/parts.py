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


class NotInCheckoutError(Exception):
    """A path or a pattern that names no Python file of the checkout. The message says which one."""


def in_checkout(root: Path, path: Path) -> str:
    """Return where a file of the checkout lies in it. Raises `NotInCheckoutError` for any other."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise NotInCheckoutError(f"{path} is no file of this checkout.") from None


def mutants_in(root: Path, patterns: tuple[str, ...]) -> list[Mutant]:
    """Return every mutant of the files below `root` that match, in a stable order. Raises `NotInCheckoutError`."""
    files = sorted({path for pattern in patterns for path in _matching(root, pattern)})
    return [mutant for path in files for mutant in mutants_of(in_checkout(root, path), path.read_bytes())]


def _matching(root: Path, pattern: str) -> list[Path]:
    try:
        found = list(root.glob(pattern))
    except (ValueError, NotImplementedError):  # an empty pattern, and one that begins at /
        found = []
    if any(path.is_dir() or path.suffix != ".py" for path in found) or not (found or _is_relative(pattern)):
        raise NotInCheckoutError(
            f"--only {pattern!r} names no Python file of this checkout. Give files or patterns of files, "
            "such as supervisor/verdict/*.py."
        )
    return found


def _is_relative(pattern: str) -> bool:
    return pattern != "" and not pattern.startswith("/")
