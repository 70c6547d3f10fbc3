"""Jobs that take long to look at: they keep no other job from being seen."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator

import pytest
from virtual_time import VirtualTime

from supervisor.process.memory import NOTHING_INHERITED
from supervisor.process.sleep import ProcessSleep
from supervisor.watch import look as look_module
from supervisor.watch import sampler as sampler_module
from supervisor.watch.look import Look, Sample, Seen, Unseen, look_at
from supervisor.watch.sampler import Sampler
from tests.patience import PATIENCE_SECONDS

NEAR = 0.001
"""A memory limit in MB that every process is near to, and above."""


@pytest.fixture
async def sampler(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sampler]:
    """One with a clock of its own."""
    monkeypatch.setattr(sampler_module, "asyncio", VirtualTime())
    sampler = Sampler()
    yield sampler
    await sampler.close()


def no_failure(reason: str) -> None:
    pytest.fail(f"a look failed: {reason}")


class Clock:
    """Stands for the time that looks take, which the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.used = 0.0
        monkeypatch.setattr(look_module, "time", self)

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.used


async def test_a_job_whose_look_takes_without_end_keeps_the_others_from_no_sample(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, other = os.getpid(), os.getppid()
    sample_of = look_module.sample_of
    looks_at_slow, go_on = list[int](), threading.Event()
    clock = Clock(monkeypatch)

    def sampled(look: Look) -> Sample | Unseen | None:
        if look.pid == slow:
            looks_at_slow.append(look.pid)
            # Once it is seen to be slow, and from then on its looks do not end.
            if len(looks_at_slow) == 1:
                clock.used += 1
            else:
                assert go_on.wait(PATIENCE_SECONDS)
        return sample_of(look)

    monkeypatch.setattr(look_module, "sample_of", sampled)
    samples = asyncio.Queue[Sample]()
    sampler.watch(slow, NEAR, lambda _: None, lambda _: None)
    sampler.watch(other, NEAR, samples.put_nowait, no_failure)
    try:
        for _ in range(20):
            await asyncio.wait_for(samples.get(), PATIENCE_SECONDS)
        while len(looks_at_slow) < 2:
            await asyncio.wait_for(samples.get(), PATIENCE_SECONDS)
        for _ in range(20):
            await asyncio.wait_for(samples.get(), PATIENCE_SECONDS)
        assert len(looks_at_slow) == 2
    finally:
        go_on.set()


@pytest.mark.parametrize(("used", "seconds"), [(0.3, 0.3), (0.0, 1.1)], ids=["busy", "waiting"])
def test_a_round_ends_with_the_first_job_that_took_long_and_leaves_the_rest_to_the_next(
    used: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)

    def sampled(look: Look) -> Unseen:
        clock.used += used if look.pid == 2 else 0.2
        clock.now += seconds if look.pid == 2 else 0.9
        return Unseen(str(look.pid))

    monkeypatch.setattr(look_module, "sample_of", sampled)
    seen = look_at([Look(pid, None, NOTHING_INHERITED, ProcessSleep(pid)) for pid in (1, 2, 3)])
    assert [(each.what, each.slow) for each in seen] == [(Unseen("1"), False), (Unseen("2"), True)]
    assert seen[1].seconds == pytest.approx(seconds)


async def test_a_job_that_was_slow_to_look_at_once_comes_back_to_the_others(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = iter([True, False])
    sample_of = look_module.sample_of
    monkeypatch.setattr(
        sampler_module,
        "look_at",
        lambda looks: [Seen(sample_of(look), 0.0, next(slow, False)) for look in looks],
    )
    lanes = asyncio.Queue[bool]()

    def sampled(_: Sample) -> None:
        lanes.put_nowait(sampler._watched[os.getpid()].slow)

    sampler.watch(os.getpid(), NEAR, sampled, no_failure)
    assert [await asyncio.wait_for(lanes.get(), PATIENCE_SECONDS) for _ in range(3)] == [False, True, False]
