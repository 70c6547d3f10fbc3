"""What all cases of growth share: how much is run, whose code the worker has, and where things lie."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.programs.bench.stage import WorkerOptions

ECHO: Final = "neops_bench/echo:1.0.0"
SLEEP: Final = "neops_bench/sleep:1.0.0"
COUNT_DEVICES: Final = "neops_bench/count_devices:1.0.0"
LONG_TEXT: Final = "neops_bench/long_text:1.0.0"
_HERE: Final = Path(__file__).parent
COMPARED_BLOCKS: Final = str(_HERE.parent / "compared_blocks")
GROWN_BLOCKS: Final = str(_HERE / "grown_blocks")


@dataclass(frozen=True, slots=True)
class Setup:
    """How the cases are run. `code` is the checkout whose worker is measured; `None` for this one."""

    directory: Path
    is_quick: bool = False
    code: Path | None = None

    def count(self, full: int, quick: int) -> int:
        """Return how many there are of something."""
        return quick if self.is_quick else full

    def worker(self, *, environment: Mapping[str, str] | None = None, **options: Any) -> WorkerOptions:
        """Return the options of a worker that has the blocks of these cases, and the code that is measured."""
        path = os.pathsep.join(map(str, (self.code or _HERE.parents[3], _HERE / "inside")))
        variables = {"PYTHONPATH": path, **(environment or {})}
        options.setdefault("blocks", (COMPARED_BLOCKS, GROWN_BLOCKS))
        return WorkerOptions(environment=variables, **options)
