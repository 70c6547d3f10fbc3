"""The jobs of the campaign, and at which lines each has to be reported."""

import ast
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

BLOCKS: Final = Path(__file__).parent / "watched_blocks"
_BEHAVING: Final = BLOCKS / "behaving.py"
_MISBEHAVING: Final = BLOCKS / "misbehaving.py"

# What uses much processor time is rarer, or the rest would only wait for it.
_RARE: Final = frozenset(
    {"slices_side_by_side", "computes_beside_a_computing_thread", "waits_beside_a_thread_that_holds_the_gil"}
)


@dataclass(frozen=True, slots=True)
class Case:
    """One job. `places` are the lines of `misbehaving.py` at which it blocks: none for one that behaves."""

    name: str
    block: str
    parameters: dict[str, Any]
    job_type: str = "execute"
    places: frozenset[int] = frozenset()
    more: dict[str, Any] = field(default_factory=dict)


def _functions(path: Path) -> Iterator[tuple[str, int, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.AsyncFunctionDef):
            yield node.name, node.lineno, node.end_lineno or node.lineno


def acts_of(path: Path) -> list[str]:
    """Return the names in `ACTS` of a file of blocks, which is not imported here."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "ACTS":
            comprehension = node.value.generators[0]  # type: ignore[union-attr]
            return [each.id for each in comprehension.iter.elts]
    raise LookupError(path)


def _places_of(function: str) -> frozenset[int]:
    lines = _MISBEHAVING.read_text().splitlines()
    ((begin, end),) = [(begin, end) for name, begin, end in _functions(_MISBEHAVING) if name == function]
    return frozenset(number for number in range(begin, end + 1) if "# blocks" in lines[number - 1])


def behaving(jobs: int) -> list[Case]:
    """Return so many jobs that await properly, mixed."""
    rng = Random("blocking")
    acts = acts_of(_BEHAVING)
    weights = [1 if act in _RARE else 4 for act in acts]
    chosen = acts[:jobs] + rng.choices(acts, weights, k=max(0, jobs - len(acts)))
    return [Case(act, "watched/behaves:1.0.0", {"act": act, "seed": seed}) for seed, act in enumerate(chosen)]


def misbehaving() -> list[Case]:
    """Return one job for each way to block."""
    block = "watched/misbehaves:1.0.0"
    acts = [Case(act, block, {"act": act}, places=_places_of(act)) for act in acts_of(_MISBEHAVING)]
    others = [
        Case(kind, block, {}, job_type=kind, places=_places_of(kind)) for kind in ("acquire", "rollback")
    ]
    return acts + others


def library(port: int, context: dict[str, Any]) -> list[Case]:
    """Return jobs of the blocks that ship with the worker; `port` and `context` are an emulated device's."""
    commands = ["show version", "show clock", "show running-config"]
    cases = [
        Case("echo", "neops_base/echo:1.0.0", {"text": "x" * 100_000}),
        Case("host_facts", "neops_base/host_facts:1.0.0", {}),
        Case("python_eval", "neops_base/python_eval:1.0.0", {"source": "import time\ntime.sleep(1.5)\n1"}),
        Case(
            "show_command",
            "neops_base/show_command:1.0.0",
            {"commands": commands, "port": port},
            more={"context": context, "run_on": "device", "entity_id": 1},
        ),
    ]
    if shutil.which("ping"):
        cases.append(Case("ping", "neops_base/ping:1.0.0", {"host": "127.0.0.1", "count": 3}))
    return cases
