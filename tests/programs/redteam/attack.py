"""What an attack on the worker is, and how one is written.

Each attack is one coroutine function in a module of `tests.programs.redteam.attacks`:

    @attack("R7", "a job sets TOSTOP on the worker's terminal")
    async def terminal(scene: Scene) -> str:
        async with scene.worker(max_concurrent_jobs=2) as worker:
            job = await scene.submit("neops_redteam/tostop:1.0.0", {})
            result = await scene.result_of(job)
            check(result["success"], f"the job failed: {result['message']}")
        return "the job ended, and the worker went on"

It replays what broke the worker once, against a real one, and returns the figure that shows that it holds. `check` and
`BrokenError` say that it does not. Whatever an attack starts, mounts or makes it takes away again in a `finally`; it is
killed after `seconds`. What the machine must offer is named in `needs` (`tests.capabilities`, or a check of the
area's own through `cannot`), so that the attack is skipped with the reason where it can't be tried.

The numbers are those under which an attack was first reported: R for the red team's, B for what was found in operation,
D for what only degraded the worker, E for the engine, X for those that were looked for afterwards.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from tests.programs.redteam.scene import Scene

PING_MARGIN_SECONDS: Final = 0.25
"""How much later than a bare timer process the heartbeat may be."""

Run = Callable[["Scene"], Coroutine[object, object, str]]


class BrokenError(Exception):
    """The attack succeeded: says how."""


class CannotError(Exception):
    """The attack can't be tried on this machine: says why."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack. `pings` is false where the heartbeat can't go on, as the engine or the worker is what is hit."""

    number: str
    title: str
    run: Run
    needs: tuple[str, ...]
    pings: bool
    seconds: float
    short: bool
    """Whether it belongs to the short form, which the gate runs."""


ATTACKS: Final[dict[str, Attack]] = {}
"""Those of all modules that were imported, by their numbers."""


def attack(
    number: str,
    title: str,
    *,
    needs: tuple[str, ...] = (),
    pings: bool = True,
    seconds: float = 180.0,
    short: bool | None = None,
) -> Callable[[Run], Run]:
    """Register an attack under a number that no other has.

    Those that were looked for afterwards (X) are not in the short form, unless `short` says so.
    """

    def register(run: Run) -> Run:
        assert number not in ATTACKS, f"two attacks are called {number}"
        is_short = not number.startswith("X") if short is None else short
        ATTACKS[number] = Attack(number, title, run, needs, pings, seconds, is_short)
        return run

    return register


def check(holds: object, otherwise: str) -> None:
    """Raise `BrokenError` with `otherwise` unless `holds`."""
    if not holds:
        raise BrokenError(otherwise)


def cannot(reason: str) -> NoReturn:
    """Skip the attack that calls this, with the reason."""
    raise CannotError(reason)


async def wait_until(
    holds: Callable[[], object], what: str, seconds: float = 20.0, *, pause_seconds: float = 0.02
) -> None:
    """Wait until `holds()` is true. Raises `BrokenError`, which names `what` did not happen, after `seconds`."""
    end = asyncio.get_running_loop().time() + seconds
    while not holds():
        if asyncio.get_running_loop().time() > end:
            raise BrokenError(f"{what} did not happen within {seconds:g} s")
        await asyncio.sleep(pause_seconds)
