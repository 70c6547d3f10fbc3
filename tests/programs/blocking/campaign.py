"""Running the cases in real children, several at a time, and comparing what was reported with what had to be."""

import re
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.hosting.hosting import Host
from tests.programs.blocking.cases import BLOCKS, Case

SOURCES: Final = ("blocks", "blocks.python_eval", str(BLOCKS))
SLOTS: Final = 8
_CASE_SECONDS: Final = 300.0
_WARNING: Final = "blocks its event loop"
_FILE: Final = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+), in ', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one case: its cause, the line of each warning, and the warnings themselves."""

    case: Case
    cause: str
    message: str
    places: tuple[int, ...]
    warnings: tuple[str, ...]

    @property
    def problems(self) -> list[str]:
        """What is not as it has to be."""
        found = Counter(self.places)
        problems = [f"line {line} was reported {times} times" for line, times in found.items() if times > 1]
        problems += [f"line {line} was not reported" for line in sorted(self.case.places - set(found))]
        problems += [f"line {line} was reported" for line in sorted(set(found) - self.case.places)]
        if self.cause != "completed":
            problems.append(f"it ended as {self.cause}: {self.message[:500]}")
        for text in self.warnings:
            strangers = [file for file, _ in _FILE.findall(text) if not file.startswith(str(BLOCKS))]
            problems += [f"{file} is not the author's" for file in strangers if self.case.places]
            if "run_in_thread" not in text or "run_parallel" not in text:
                problems.append("a warning has no example")
        return problems


def run(host: Host, cases: Sequence[Case], slots: int = SLOTS) -> list[Seen]:
    """Run the cases, `slots` at a time, and return what was seen of each."""
    waiting, running = deque(cases), deque[tuple[Case, int]]()
    seen: list[Seen] = []
    while waiting or running:
        while waiting and len(running) < slots:
            case = waiting.popleft()
            number = host.send(
                "run", block=case.block, parameters=case.parameters, job_type=case.job_type, **case.more
            )
            running.append((case, number))
        case, number = running.popleft()
        seen.append(_seen(case, host.wait(number, _CASE_SECONDS)))
    return seen


def _seen(case: Case, done: dict[str, Any]) -> Seen:
    warnings = tuple(line["text"] for line in done["lines"] if _WARNING in line["text"])
    places = tuple(int(_FILE.findall(text)[-1][1]) for text in warnings)
    return Seen(case, done["cause"], done["message"], places, warnings)
