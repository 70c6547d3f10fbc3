"""The secrets of a job are masked in all that its verdict says."""

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from jobs_support import DONE, ENTRY, job, scene

from jobrunner.protocol.masking import mask as mask_module
from jobrunner.protocol.masking import needles as needles_module
from jobrunner.protocol.masking.needles import Needles
from jobrunner.protocol.messages import Outcome
from supervisor.verdict import KernelView

PASSWORD = "Trellis-Wagon-1842"


def replace_message(message: str) -> Outcome:
    return DONE.model_copy(update={"message": message})


@pytest.mark.parametrize("place", ["parameters", "context"])
async def test_a_secret_of_the_order_is_masked_in_what_the_block_says(tmp_path: Path, place: str) -> None:
    async with scene(tmp_path) as stage:
        outcome = replace_message(f"failed with {PASSWORD}")
        concluded = await stage.run(job(**{place: {"password": PASSWORD}}), outcome=outcome)
        assert concluded.verdict.message == "failed with ***"


async def test_a_parameter_that_the_block_declares_secret_is_masked(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        entry = ENTRY.model_copy(update={"sensitive_parameters": (("community",),)})
        outcome = replace_message(f"failed with {PASSWORD}")
        concluded = await stage.run(job(parameters={"community": PASSWORD}), entry, outcome)
        assert concluded.verdict.message == "failed with ***"


async def test_a_secret_is_masked_in_the_stack(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        running = stage.begin(job(parameters={"password": PASSWORD}))
        child = await stage.child()
        child.stack = f'Thread 0x1 (most recent call first):\n  File "{PASSWORD}.py", line 1 in run\n'
        await stage.order(child)
        stage.runner.stop_all()
        concluded = await running
        assert PASSWORD not in concluded.ending.stack
        assert PASSWORD not in concluded.verdict.message
        assert '***.py", line 1' in concluded.verdict.message


async def test_a_secret_is_masked_in_what_the_kernel_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"wchan": "nfs_wait", "stack": PASSWORD}
    monkeypatch.setattr("supervisor.watch.kernel.status_of", lambda pid: {"State": "D (disk sleep)"})
    monkeypatch.setattr("supervisor.watch.kernel._read", lambda pid, name: files.get(name, ""))
    async with scene(tmp_path) as stage:
        running = stage.begin(job(parameters={"password": PASSWORD}))
        child = await stage.child()
        child.stack = " "
        await stage.order(child)
        stage.runner.stop_all()
        concluded = await running
        assert concluded.ending.kernel == KernelView("D", "nfs_wait", stack="  ***")
        assert "In the kernel:\n  ***" in concluded.verdict.message


async def test_of_a_secret_that_a_stack_was_cut_in_no_half_is_shown(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        running = stage.begin(job(parameters={"password": PASSWORD}))
        child = await stage.child()
        frame = 'Thread 0x1 (most recent call first):\n  File "block.py", line 1 in run\n'
        child.stack = f"{frame}  {PASSWORD[:-4]}"
        await stage.order(child)
        stage.runner.stop_all()
        stack = (await running).ending.stack
        assert "line 1 in run" in stack
        assert PASSWORD[:8] not in stack


@pytest.mark.parametrize(("number", "beside_the_loop"), [(2, False), (500, True)])
async def test_many_secrets_are_made_ready_beside_the_loop_and_masked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, beside_the_loop: bool
) -> None:
    built_by: list[threading.Thread] = []

    class Watched(Needles):
        def add(self, needles: Iterable[str], *, most_lengths: int | None = None) -> None:
            built_by.append(threading.current_thread())
            super().add(needles, most_lengths=most_lengths)

    for module in (mask_module, needles_module):
        monkeypatch.setattr(module, "Needles", Watched)
    devices = [{"id": each, "password": f"{PASSWORD}-{each}"} for each in range(number)]
    async with scene(tmp_path) as stage:
        outcome = replace_message(f"failed with {PASSWORD}-1")
        concluded = await stage.run(job(context={"devices": devices}), outcome=outcome)
        assert concluded.verdict.message == "failed with ***"
    # Many are added in portions, each of them there.
    assert {thread is not threading.main_thread() for thread in built_by} == {beside_the_loop}
