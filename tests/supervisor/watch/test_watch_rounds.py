"""A look that gets no answer: what is said of it meanwhile, and afterwards."""

import asyncio
import threading

import pytest

from supervisor.watch import rounds as rounds_module
from supervisor.watch.rounds import Rounds
from tests.patience import PATIENCE_SECONDS, until


async def test_why_nothing_is_seen_is_known_for_as_long_as_the_look_has_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds_module, "LATE_SECONDS", 0.05)
    rounds = Rounds("a watch", failing="Nothing is seen.", working="All is seen.")
    answer, reasons = threading.Event(), list[str]()
    looking = asyncio.create_task(rounds.look(answer.wait, PATIENCE_SECONDS, reasons.append))
    await until(lambda: reasons)
    assert rounds.late == reasons[0]
    answer.set()
    assert await looking
    assert rounds.late is None, "who begins now is watched"
    await rounds.close()


async def test_what_waits_behind_a_look_that_hangs_is_not_looked_at_after_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds_module, "LATE_SECONDS", 0.05)
    rounds = Rounds("hangs", failing="Nothing is seen.", working="All is seen.")
    answer, begun, later = threading.Event(), threading.Event(), list[str]()

    def hang(seconds: float) -> None:
        begun.set()
        answer.wait(seconds)

    hanging = asyncio.create_task(rounds.look(hang, PATIENCE_SECONDS, lambda _: None))
    await until(begun.is_set)
    behind = asyncio.create_task(rounds.look(later.append, "looked at", lambda _: None))
    await asyncio.sleep(0)
    for looking in (hanging, behind):
        looking.cancel()
    await asyncio.gather(hanging, behind, return_exceptions=True)
    await rounds.close()
    answer.set()
    await until(lambda: not [one for one in threading.enumerate() if one.name.startswith("hangs")])
    assert later == []
