"""The measurements: one device alone, all of them, and healthy ones beside those that hang."""

import math
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sdk import DeviceEntity
from sdk.connection import DeviceOutcome, connect, for_each_device
from tests.programs.bench.figures import Figure, Target
from tests.programs.device_scale.emulation import COMMAND, Emulation

COMMANDS: Final = 4
LIMIT: Final = 16
MOST_RATIO: Final = 1.2
MOST_SECONDS_BESIDE_HUNG: Final = 1.0
ROUNDS: Final = 3
ALONE: Final = 3
"""How many devices are asked alone in each round."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds. `cpu` is what this process has used for all devices, without the emulation."""

    alone: float
    together: float
    cpu: float
    sessions: int

    @property
    def ideal(self) -> float:
        """How long it takes at best: as many rounds as it needs, each as long as one device alone."""
        return math.ceil(self.sessions / LIMIT) * self.alone

    @property
    def ratio(self) -> float:
        """How much longer it took."""
        return self.together / self.ideal


async def ask(device: DeviceEntity) -> int:
    """Log in, ask four times, log out; return how many characters came."""
    async with connect(device, login_seconds=30) as connection:
        answers = [await connection.send_command(COMMAND, timeout=30) for _ in range(COMMANDS)]
    return sum(len(answer.output) for answer in answers)


async def measure_scale(emulation: Emulation, rounds: int = ROUNDS) -> Measured:
    """Ask one device alone and then all of them, a few times; the best of each counts.

    What else runs on the machine only makes both longer, and the many, which need more of it, more than the one.
    """
    await ask(emulation.healthy[0])  # pays for what is imported and compiled once
    alone: list[float] = []
    together: list[float] = []
    cpu: list[float] = []
    for _ in range(rounds):
        for device in emulation.healthy[:ALONE]:
            started = time.monotonic()
            await ask(device)
            alone.append(time.monotonic() - started)
        cpu_before, started = _cpu_seconds(), time.monotonic()
        outcomes = await for_each_device(emulation.healthy, ask, limit=LIMIT, timeout=60)
        together.append(time.monotonic() - started)
        cpu.append(_cpu_seconds() - cpu_before)
        _all_must_have_answered(outcomes)
    return Measured(min(alone), min(together), min(cpu), len(emulation.healthy))


async def measure_beside_hung(emulation: Emulation, timeout_seconds: float = 3) -> float:
    """Ask healthy devices beside as many that never answer the login; return the time of the slowest healthy one."""
    mixed = [device for pair in zip(emulation.hung, emulation.healthy, strict=False) for device in pair]
    assert len(mixed) == 2 * len(emulation.hung), "there are as many healthy devices as hung ones"
    outcomes = await for_each_device(mixed, ask, limit=len(mixed), timeout=timeout_seconds)
    healthy = outcomes[1::2]
    _all_must_have_answered(healthy)
    hung = outcomes[::2]
    assert not any(outcome.succeeded for outcome in hung), "a device that hangs has answered"
    return max(outcome.seconds for outcome in healthy)


def _all_must_have_answered(outcomes: Sequence[DeviceOutcome[DeviceEntity, int]]) -> None:
    silent = [f"{outcome.name}: {outcome.message}" for outcome in outcomes if not outcome.value]
    assert not silent, f"without an answer, nothing was measured: {silent}"


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def figures(measured: Measured, beside_hung: float, emulation: Emulation, every_session: int) -> list[Figure]:
    """Return what was measured, with its targets; `every_session` is how many the emulation has served."""
    return [
        Figure("one device alone", measured.alone, "s"),
        Figure(f"{measured.sessions} devices, {LIMIT} at a time", measured.together, "s"),
        Figure(
            f"  of {math.ceil(measured.sessions / LIMIT)} times one alone",
            measured.ratio,
            "",
            Target(MOST_RATIO),
        ),
        Figure("  CPU of the client, for each device", measured.cpu / measured.sessions * 1000, "ms"),
        Figure(
            "  CPU of the emulation, for each session", emulation.cpu_seconds / every_session * 1000, "ms"
        ),
        Figure("  client busy, of one core", measured.cpu / measured.together * 100, "%"),
        Figure("slowest healthy device beside hung ones", beside_hung, "s", Target(MOST_SECONDS_BESIDE_HUNG)),
    ]
