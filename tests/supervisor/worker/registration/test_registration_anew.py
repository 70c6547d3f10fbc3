"""Registering anew: after the engine has forgotten this worker, and after a reload."""

import asyncio

import pytest
from registration_support import AWAY, A, B, Scene, refusal

from supervisor.errors import EngineError
from supervisor.log.events.worker import RenewalFailing
from tests.log_events import told
from tests.programs.fuzz.fakes import block_entry
from tests.simulated_time import elapsed, simulate, turns


def test_every_block_is_offered_again_under_the_new_uuid() -> None:
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.calls.clear()
        scene.engine.forget_workers()
        await scene.registration.renew("w-1")

    simulate(live())
    assert scene.calls == [
        ("ping", "w-1"),
        ("register", "router-worker", "192.0.2.1"),
        ("remember", "worker_uuid", "w-2"),
        ("block", "a", "w-2"),
        ("block", "b", "w-2"),
    ]
    assert (scene.registration.uuid, scene.accepted) == ("w-2", ["a", "b"])


def test_a_block_that_was_refused_is_offered_again() -> None:
    """It may have been refused only because the worker was unknown."""
    scene = Scene()
    scene.engine.errors = {"block b w-1": [refusal(404)]}

    async def live() -> None:
        await scene.registration.begin(60.0)
        assert scene.registration.refused.keys() == {B.id}
        scene.engine.forget_workers()
        await scene.registration.renew("w-1")

    simulate(live())
    assert (scene.accepted, scene.registration.refused) == (["a", "b"], {})


def test_who_notices_second_changes_nothing() -> None:
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.forget_workers()
        await asyncio.gather(*(scene.registration.renew("w-1") for _ in range(3)))

    simulate(live())
    assert (scene.engine.registered, scene.registration.uuid) == (2, "w-2")


def test_a_block_that_fails_for_now_does_not_register_another_worker() -> None:
    scene = Scene()
    scene.engine.errors = {"block b w-2": [AWAY] * 3}

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.forget_workers()
        await scene.registration.renew("w-1")

    simulate(live())
    assert scene.engine.registered == 2
    assert scene.accepted == ["a", "b"]


def test_an_engine_that_is_away_is_asked_until_it_answers_with_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()

    async def live() -> float:
        await scene.registration.begin(60.0)
        scene.engine.errors = {
            "register": [EngineError("later", status=503, retry_after_seconds=40.0), AWAY, AWAY]
        }
        scene.engine.forget_workers()
        await scene.registration.renew("w-1")
        return elapsed()

    assert simulate(live()) >= 40.0
    assert scene.registration.uuid == "w-2"
    failing = told(caplog, RenewalFailing)
    assert [event["reason"] for event in failing] == ["later", "It is away.", "It is away."]
    assert failing[0]["pause_seconds"] >= 40.0


def test_a_worker_that_leaves_is_not_registered_anew() -> None:
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        await scene.registration.end()
        scene.engine.forget_workers()
        await scene.registration.renew("w-1")

    simulate(live())
    assert scene.engine.registered == 1


def test_after_a_reload_only_what_is_new_is_offered_and_what_is_gone_is_not_polled_for() -> None:
    scene = Scene()
    new = block_entry("new")

    async def live() -> None:
        await scene.registration.begin(60.0)
        accepted = scene.registration.accepted
        scene.calls.clear()
        await scene.registration.offer((A, new))
        assert accepted is scene.registration.accepted, "others hold this list"

    simulate(live())
    assert scene.calls == [("block", "new", "w-1")]
    assert scene.accepted == ["a", "new"]


def test_after_a_reload_a_block_that_was_refused_is_offered_again() -> None:
    scene = Scene()
    scene.engine.errors = {"block b w-1": [refusal()]}

    async def live() -> None:
        await scene.registration.begin(60.0)
        await scene.registration.offer((A, B))

    simulate(live())
    assert (scene.accepted, scene.registration.refused) == (["a", "b"], {})


def test_a_reload_goes_on_under_a_new_uuid_where_the_engine_has_forgotten_the_worker_meanwhile() -> None:
    """While a reload offers its blocks, nobody else can register the worker anew: it would get no job any more."""
    scene = Scene()
    new = block_entry("new")
    problems: list[str | None] = []

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.errors = {
            "block new w-1": [EngineError("Internal server error", status=500)] * 1000,
            "register": [refusal(403)] * 5,
        }
        scene.engine.forget_workers()
        async with asyncio.timeout(600.0):
            offering = asyncio.ensure_future(scene.registration.offer((A, new)))
            while scene.engine.times[-1][0] != "register":
                await asyncio.sleep(0.1)
            problems.append(scene.registration.problem)
            await offering
        problems.append(scene.registration.problem)

    simulate(live())
    assert (scene.registration.uuid, scene.accepted) == ("w-2", ["a", "new"])
    assert scene.engine.registered == 2
    assert (problems[0] or "").startswith("the engine does not know this worker any more")
    assert problems[1] is None


def test_a_reload_that_fails_for_now_registers_no_other_worker() -> None:
    scene = Scene()
    new = block_entry("new")

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.errors = {"block new w-1": [AWAY] * 3, "ping": [AWAY]}
        await scene.registration.offer((A, new))

    simulate(live())
    assert (scene.engine.registered, scene.accepted) == (1, ["a", "new"])


def test_a_reload_waits_for_a_registration_that_is_under_way() -> None:
    """Else blocks would be registered twice, and under a uuid that is over."""
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.errors = {"register": [AWAY]}
        scene.engine.forget_workers()
        renewing = asyncio.ensure_future(scene.registration.renew("w-1"))
        await turns()
        scene.calls.clear()
        await scene.registration.offer((A,))
        await renewing

    simulate(live())
    assert [call for call in scene.calls if call[0] == "block"] == [
        ("block", "a", "w-2"),
        ("block", "b", "w-2"),
    ]
    assert scene.accepted == ["a"]


@pytest.mark.parametrize("status", [401, 407])
def test_a_block_is_not_refused_because_the_worker_is_not_let_in_for_a_while(status: int) -> None:
    """A token that has expired meanwhile: the blocks are offered again until it is replaced."""
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.errors = {"block b w-2": [refusal(status)] * 5}
        scene.engine.forget_workers()
        await scene.registration.renew("w-1")

    simulate(live())
    assert (scene.accepted, scene.registration.refused) == (["a", "b"], {})


def test_a_worker_of_which_the_engine_accepts_no_block_knows_why_until_it_accepts_one() -> None:
    scene = Scene()
    problems: list[str | None] = []

    async def live() -> None:
        await scene.registration.begin(60.0)
        problems.append(scene.registration.problem)
        scene.engine.errors = {"block": [AWAY, AWAY, refusal(), refusal()]}
        scene.engine.forget_workers()
        renewing = asyncio.ensure_future(scene.registration.renew("w-1"))
        await asyncio.sleep(0.01)
        problems.append(scene.registration.problem)
        await renewing
        problems.append(scene.registration.problem)
        await scene.registration.offer((A, B))
        problems.append(scene.registration.problem)

    simulate(live())
    none = "the engine has accepted none of the blocks"
    assert problems == [None, f"{none}: It is away.", f"{none}: It does not want it.", None]
