"""The first registration: who this worker is, which blocks it offers, and when it gives up."""

import asyncio
import itertools
import logging

import pytest
from registration_support import A, Scene, refusal

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.engine.api import Compatibility
from supervisor.errors import EngineError, StartRefusedError
from supervisor.log.events.blocks import BlockRefused
from supervisor.log.events.worker import (
    ClientDeprecated,
    CompatibilityUnknown,
    RegistrationFailing,
)
from supervisor.worker.registration import MOST_FAILURES
from tests.log_events import facts_of, records_of, told
from tests.programs.fuzz.fakes import block_entry
from tests.simulated_time import elapsed, simulate

AWAY = EngineError("It is away.")


def test_a_new_worker_is_registered_and_remembered_before_it_offers_its_blocks() -> None:
    """A worker whose uuid is forgotten counts twice against the licence."""
    scene = Scene()
    simulate(scene.registration.begin(60.0))
    assert scene.calls == [
        "check",
        ("register", "router-worker", "192.0.2.1"),
        ("remember", "worker_uuid", "w-1"),
        ("block", "a", "w-1"),
        ("block", "b", "w-1"),
    ]
    assert (scene.registration.uuid, scene.registration.came_back, scene.accepted) == (
        "w-1",
        False,
        ["a", "b"],
    )


def test_a_worker_that_the_engine_knows_keeps_its_uuid() -> None:
    scene = Scene(worker_uuid="w-old")
    scene.engine.knows.add("w-old")
    simulate(scene.registration.begin(60.0))
    assert scene.calls == ["check", ("ping", "w-old"), ("block", "a", "w-old"), ("block", "b", "w-old")]
    assert (scene.registration.uuid, scene.registration.came_back) == ("w-old", True)


def test_a_worker_that_the_engine_has_forgotten_gets_a_new_uuid() -> None:
    scene = Scene(worker_uuid="w-old")
    simulate(scene.registration.begin(60.0))
    assert (scene.registration.uuid, scene.registration.came_back) == ("w-1", False)
    assert scene.journal.facts == {"worker_uuid": "w-1"}


def test_an_engine_that_is_away_is_waited_for_and_asked_only_for_what_is_missing() -> None:
    scene = Scene()
    scene.engine.errors = {"block b w-1": [AWAY, AWAY]}
    simulate(scene.registration.begin(60.0))
    assert [call for call in scene.calls if call[0] == "block"] == [
        ("block", "a", "w-1"),
        ("block", "b", "w-1"),
        ("block", "b", "w-1"),
        ("block", "b", "w-1"),
    ]
    assert scene.engine.registered == 1


def test_blocks_are_registered_a_few_at_a_time_and_accepted_in_their_order() -> None:
    """The way to an engine is waited for by eight at a time, and an engine meets no more than these."""
    scene = Scene([block_entry(f"b{number:02}") for number in range(20)])
    under_way: set[str] = set()
    most = 0

    async def register_block(block: BlockEntry, worker_uuid: str) -> None:
        nonlocal most
        under_way.add(block.id)
        most = max(most, len(under_way))
        await asyncio.sleep(2.0 if block.name == "b00" else 1.0)
        under_way.remove(block.id)

    async def begin() -> float:
        await scene.registration.begin(60.0)
        return elapsed()

    scene.engine.register_block = register_block  # type: ignore[method-assign]  # one that takes its time
    assert simulate(begin()) == pytest.approx(4.0)
    assert most == 8
    assert scene.accepted == [f"b{number:02}" for number in range(20)]


def test_what_was_accepted_beside_a_block_that_failed_is_not_registered_again() -> None:
    scene = Scene()
    scene.engine.errors = {"block a w-1": [AWAY]}
    simulate(scene.registration.begin(60.0))
    assert [call[1] for call in scene.calls if call[0] == "block"] == ["a", "b", "a"]
    assert sorted(scene.accepted) == ["a", "b"]


def test_pauses_grow_to_ten_seconds_and_end_with_the_patience(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.engine.errors = {"register": [AWAY] * 1000}

    async def begin() -> float:
        with pytest.raises(StartRefusedError, match=r"could not be reached within 60 s: It is away\. Check"):
            await scene.registration.begin(60.0)
        return elapsed()

    assert simulate(begin()) == pytest.approx(60.0)
    times = [at for name, at in scene.engine.times if name == "register"]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert 0.1 <= pauses[0] <= 1.0
    assert 2.0 < max(pauses) <= 10.0
    failing = told(caplog, RegistrationFailing)
    assert {event["reason"] for event in failing} == {"It is away."}
    assert [event["pause_seconds"] for event in failing] == pytest.approx(pauses, abs=0.01)
    assert [event["left_seconds"] for event in failing] == pytest.approx(
        [60.0 - sum(pauses[:count]) for count in range(len(pauses))], abs=0.01
    )


def test_the_engine_s_wish_for_a_pause_is_kept() -> None:
    scene = Scene()
    scene.engine.errors = {"register": [EngineError("later", status=503, retry_after_seconds=30.0)]}

    async def begin() -> float:
        await scene.registration.begin(100.0)
        return elapsed()

    assert 30.0 <= simulate(begin()) <= 40.0


def test_a_plain_no_to_the_worker_ends_the_start_at_once() -> None:
    scene = Scene()
    scene.engine.errors = {"register": [refusal(403)]}
    with pytest.raises(StartRefusedError, match=r"does not accept this worker: It does not want it"):
        simulate(scene.registration.begin(60.0))
    assert scene.calls == ["check", ("register", "router-worker", "192.0.2.1")]


@pytest.mark.parametrize(("status", "words"), [(401, "--engine-token-file"), (407, "HTTPS_PROXY"), (403, "")])
def test_a_worker_that_is_not_let_in_ends_with_what_to_check_unless_that_is_its_licence(
    status: int, words: str
) -> None:
    scene = Scene()
    scene.engine.errors = {"register": [refusal(status)]}
    with pytest.raises(StartRefusedError) as caught:
        simulate(scene.registration.begin(60.0))
    said = str(caught.value).removeprefix("The engine does not accept this worker: It does not want it.")
    assert words in said
    assert bool(said) == bool(words)


def test_a_block_that_is_refused_harms_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.engine.errors = {"block a w-1": [refusal()]}
    simulate(scene.registration.begin(60.0))
    assert scene.accepted == ["b"]
    assert scene.registration.refused == {A.id: "It does not want it."}
    assert told(caplog, BlockRefused) == [{"block": A.id, "reason": "It does not want it."}]


def test_a_page_that_is_not_found_is_no_refusal_of_a_block() -> None:
    """A proxy says that to all, while its way to the engine is gone. The block would be missing until a reload."""
    scene = Scene()
    scene.engine.errors = {"block b w-1": [refusal(404, said=None)] * 3}
    simulate(scene.registration.begin(60.0))
    assert (scene.accepted, scene.registration.refused) == (["a", "b"], {})
    assert scene.engine.registered == 1


FAILS = EngineError("Internal server error", status=500)


def test_a_block_at_which_the_engine_fails_is_left_out_where_it_takes_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One help text that is too long for the engine's database kept the whole worker from starting."""
    scene = Scene()
    scene.engine.errors = {"block a w-1": [FAILS] * 1000}
    simulate(scene.registration.begin(120.0))
    assert (scene.accepted, scene.registration.refused) == (["b"], {A.id: str(FAILS)})
    assert told(caplog, BlockRefused) == [{"block": A.id, "reason": str(FAILS)}]
    assert scene.calls.count(("block", "a", "w-1")) == MOST_FAILURES


@pytest.mark.parametrize(
    "errors",
    [
        {"block": [FAILS] * 4 * MOST_FAILURES},
        {"block a w-1": [FAILS] * (MOST_FAILURES + 3), "ping": [AWAY] * 1000},
        {"block a w-1": [EngineError("Bad gateway", status=502)] * 2 * MOST_FAILURES},
    ],
    ids=["takes none", "answers no ping", "is behind a proxy"],
)
def test_an_engine_that_fails_at_all_is_waited_for(errors: dict[str, list[EngineError]]) -> None:
    scene = Scene()
    scene.engine.errors = {name: list(each) for name, each in errors.items()}
    simulate(scene.registration.begin(1000.0))
    assert (sorted(scene.accepted), scene.registration.refused) == (["a", "b"], {})


def test_a_client_that_does_not_fit_the_engine_ends_the_start() -> None:
    scene = Scene()
    scene.engine.compatibility = Compatibility(False, False, "9.9.9")
    with pytest.raises(StartRefusedError, match=r"The engine \(9\.9\.9\) is not compatible"):
        simulate(scene.registration.begin(60.0))
    assert scene.calls == ["check"]


def test_a_client_that_is_deprecated_is_told_and_works(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    simulate(scene.registration.begin(60.0))
    assert told(caplog, ClientDeprecated) == []
    scene = Scene()
    scene.engine.compatibility = Compatibility(True, True, "0.43.0")
    simulate(scene.registration.begin(60.0))
    assert told(caplog, ClientDeprecated) == [{"engine_version": "0.43.0"}]
    assert scene.accepted == ["a", "b"]


@pytest.mark.parametrize(("status", "level"), [(404, logging.WARNING), (None, logging.DEBUG)])
def test_an_engine_that_does_not_say_whether_it_fits_is_used(
    status: int | None, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scene = Scene()
    scene.engine.errors = {"check": [EngineError("no such route", status=status)]}
    simulate(scene.registration.begin(60.0))
    assert scene.accepted == ["a", "b"]
    (record,) = records_of(caplog, CompatibilityUnknown)
    assert (record.levelno, facts_of(record)) == (level, {"reason": "no such route"})
