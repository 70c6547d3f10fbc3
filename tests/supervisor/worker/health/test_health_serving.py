"""The health of a worker from its start to its end: off unless asked for, and with or without prometheus-client."""

import asyncio
import logging
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from health_support import TOKEN, bearer

from supervisor.errors import StartRefusedError
from supervisor.lifecycle.progress import Late
from supervisor.log.events.health import HealthGroupClosed, HealthRefused, HealthServed, MetricsMissing
from supervisor.log.repetition import TELL_SECONDS
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.health.answers import Access, access_of
from supervisor.worker.health.health import Door, Health, Text
from supervisor.worker.health.looks import MANY_CLAIMS, MANY_LOOKS, Looks
from supervisor.worker.health.refusals import Refusals
from supervisor.worker.health.snapshot import Snapshot, why_not_live
from supervisor.worker.observer import NOBODY
from supervisor.worker.readiness import ReadinessFacts
from tests.log_events import facts_of, told
from tests.patience import until


def settings(**changes: Any) -> DaemonSettings:
    return DaemonSettings(engine_url="http://127.0.0.1:1", **changes)


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(0o600)
    path.write_text(TOKEN)
    return path


def health_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("health")]


def test_a_worker_that_is_not_asked_for_its_health_has_nothing_of_it() -> None:
    heavy = (
        "prometheus_client",
        "aiohttp.web",
        "supervisor.worker.health.web",
        "supervisor.worker.health.recorder",
    )
    code = (
        "import sys, supervisor.worker.daemon, supervisor.worker.serving; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_it_is_served_and_counts_only_where_an_address_is_set(
    token: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await until(lambda: not health_threads(), "those of earlier tests have ended")
    off = Health(settings())
    async with off.serving():
        assert off.observer is NOBODY
        assert not health_threads()
    pytest.importorskip("prometheus_client", reason="the extra `metrics` is not installed")
    on = Health(settings(health_address="127.0.0.1:0", health_token_file=token))
    async with on.serving():
        assert on.observer is not NOBODY
        (served,) = told(caplog, HealthServed)
        assert await status_of(served["address"], "/ready", bearer()) == (503, True)
        assert (await status_of(served["address"], "/metrics", bearer()))[0] == 200
        assert (await status_of(served["address"], "/metrics", {"Host": "evil.example"} | bearer()))[0] == 421
    (refused,) = told(caplog, HealthRefused)
    assert "Host" in refused["reason"]


async def status_of(address: str, path: str, headers: dict[str, str]) -> tuple[int, bool]:
    """Return the status, and whether the worker says that it starts."""
    host, _, port = address.rpartition(":")
    lines = [
        f"GET {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in {"Host": host, **headers}.items()),
    ]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1]), b'"starting"' in answer


async def test_without_prometheus_client_the_start_says_so_and_only_metrics_are_missing(
    token: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.delitem(sys.modules, "supervisor.worker.health.recorder", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    health = Health(settings(health_address="127.0.0.1:0", health_token_file=token))
    async with health.serving():
        assert len(told(caplog, MetricsMissing)) == 1
        address = told(caplog, HealthServed)[0]["address"]
        assert (await status_of(address, "/live", {}))[0] == 200
        assert (await status_of(address, "/metrics", bearer()))[0] == 501


async def test_a_port_in_use_refuses_the_start_and_leaves_no_thread() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(StartRefusedError, match="another process uses this port"):
            async with Health(settings(health_address=address)).serving():
                pass
    await until(lambda: not health_threads(), "there is none, and those of earlier tests have ended")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"health_address": "0.0.0.0:9464"}, "from this machine alone"),
        ({"health_token_file": "/etc/passwd"}, "Give --health-address too"),
    ],
)
def test_a_setting_that_would_open_it_to_others_or_can_t_be_meant_is_refused(
    changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        settings(**changes)


def test_a_hundred_readers_within_a_second_cost_one_text() -> None:
    made: list[float] = []
    recorder: Any = SimpleNamespace(text=lambda snapshot, now: made.append(now) or b"text")
    text, snapshot = Text(recorder), Snapshot(100.0, ())
    for number in range(100):
        assert text.at(snapshot, 100.0 + number / 101) == b"text"
    assert made == [100.0]
    text.at(snapshot, 101.0)
    assert made == [100.0, 101.0]


def test_on_a_socket_that_lets_in_only_who_may_no_token_is_asked_for() -> None:
    rules: Any = object()
    snapshot = Snapshot(0.0, ())
    on_socket = Door(TOKEN, rules, lambda: snapshot, None)
    assert b"loop_blocked" in on_socket.answer("/ready", None, None).body
    on_port = Door(TOKEN, None, lambda: snapshot, None)
    assert b"loop_blocked" not in on_port.answer("/ready", "127.0.0.1", None).body
    assert on_port.answer("/ready", None, f"Bearer {TOKEN}").status == 421
    assert access_of(f"Bearer {TOKEN}", TOKEN) is Access.ALL


def test_many_claims_in_the_journal_are_not_counted_at_each_look() -> None:
    counted: list[int] = []
    claims = 10

    def count() -> tuple[int, int]:
        counted.append(claims)
        return claims, 1

    parts: Any = SimpleNamespace(
        journal=SimpleNamespace(count=count, is_in_trouble=False),
        dispatcher=SimpleNamespace(slots=3, slots_taken=1, busy=2),
        runner=SimpleNamespace(spares_ready=1),
        delivery=SimpleNamespace(waiting=0),
        readiness=ReadinessFacts(),
    )
    progress: Any = SimpleNamespace(late=(Late("the poller", 9.0),))
    looks = Looks(parts, progress)
    assert why_not_live(looks.look(0.0), 0.0)[0].message == "it makes no progress: the poller (9 s late)"
    counts = looks.look(0.0).counts
    assert (counts.slots, counts.slots_taken, counts.jobs) == (3, 1, 2)
    counted.clear()
    for now in range(10):
        assert looks.look(float(now)).counts.dead_letters == 1
    assert len(counted) == 10
    claims = MANY_CLAIMS
    counted.clear()
    for now in range(10, 10 + 2 * MANY_LOOKS):
        looks.look(float(now))
    assert len(counted) == 3


def test_many_that_are_refused_are_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    refusals = Refusals(lambda: now)
    for _ in range(1000):
        refusals.tell("a wrong token")
    now += TELL_SECONDS
    refusals.tell("a wrong token")
    assert [facts_of(record)["more"] for record in caplog.records] == [0, 999]


async def test_a_group_that_does_not_exist_refuses_no_start_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    socket_path = tmp_path / "health.sock"
    async with Health(settings(health_address=str(socket_path), control_group="no-such-group")).serving():
        assert socket_path.exists()
    (closed,) = told(caplog, HealthGroupClosed)
    assert closed == {
        "group": "no-such-group",
        "reason": "There is no group no-such-group: make it, or change --control-group.",
    }
