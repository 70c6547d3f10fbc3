"""The jobs of one seed, and what each of them may truthfully end as."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.faults.programs import ACT, ACT_AGAIN

_TIME_LIMIT: Final = r"^(Killed|Ended) at its time limit"

SUCCEEDING: Final = frozenset(
    {"echo", "slow", "daemons", "log", "big", "ReturnsTwice", "InvalidUtf8", "OutputFlood", "ThreadLeak"}
)
FAILING: Final = {
    "raise": r"raised RuntimeError: Raised by {word}",
    "fail": r"^Failed as {word}$",
    "kill_itself": r"^Crashed with SIGKILL",
    "Segfault": r"^Crashed with SIGSEGV",
    "ExitCode": r"ended by itself with exit code 3",
    "SysExit": r"raised SystemExit",
    "RaiseError": r"raised ValueError",
    "RaiseBaseException": r"raised PlannedBaseException",
    "CloseFds": r"closed the descriptor",
    "NoResult": r"returned nothing",
    "NotJsonResult": r"returned data of class",
    "NanResult": r"returned data of class",
    "HangAwait": _TIME_LIMIT,
    "HangSleep": _TIME_LIMIT,
    "Spin": _TIME_LIMIT,
    "GilHog": _TIME_LIMIT,
    "IgnoresCancel": _TIME_LIMIT,
    "FinishesLate": _TIME_LIMIT,
}
"""What the message of an act that can't succeed says; `{word}` is the job's own."""

_HANGING: Final = ("HangAwait", "HangSleep", "Spin", "GilHog", "IgnoresCancel", "FinishesLate")
_PLAIN: Final = ("echo", "echo", "slow", "slow", "big", "log", "daemons", "raise", "fail")
_ODD: Final = tuple(sorted((SUCCEEDING | FAILING.keys()) - set(_HANGING) - set(_PLAIN)))
BIG_CHARACTERS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job was asked to do."""

    act: str
    word: str

    @classmethod
    def of(cls, item: Any) -> "Asked":
        """Read it from the job as the engine hands it out."""
        return cls(item["parameters"]["act"], item["parameters"]["word"])


def submissions(seed: int, count: int, trace: str) -> Iterator[dict[str, Any]]:
    """Yield the bodies of `count` submissions: every hanging act takes a slot for two seconds, so they are few."""
    random = Random(f"jobs {seed}")
    for number in range(count):
        acts = random.choices((_PLAIN, _ODD, _HANGING), weights=(70, 22, 8))[0]
        word = f"word-{seed}-{number:04}-{random.getrandbits(40):010x}"
        parameters = {
            "act": random.choice(acts),
            "word": word,
            "trace": trace,
            "seconds": round(random.uniform(0.05, 0.6), 2),
            "size": BIG_CHARACTERS,
        }
        block = ACT_AGAIN if random.random() < 0.2 else ACT
        yield {"block": block, "parameters": parameters, "allowUnregistered": True}
