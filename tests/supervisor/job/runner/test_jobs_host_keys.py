"""Host keys on their way to a job and back: what a hostile block may say of them, and what is made of it."""

import asyncio
import base64
import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from jobs_support import DONE, SETTINGS, Scene, job, scene

from jobrunner.protocol.messages import HostKey, Outcome
from supervisor.job.host_key_reports import REPORTS_BESIDE, JobHostKeys
from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.store import HostKeyStore
from supervisor.log.events.host_keys import (
    HostKeyAcceptedOnce,
    HostKeyConflict,
    HostKeyKept,
    HostKeyRefused,
    HostKeyReportsIgnored,
)
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until
from tests.supervisor.job.execution.execution_support import RecordedChild

R1 = {"id": 1, "ip": "10.0.0.1", "hostname": "R1.lab"}
BEHIND = {
    "id": 2,
    "ip": "10.0.0.2",
    "connectionOptions": json.dumps({"port": 2222, "jump_host": {"host": "10.9.0.1", "port": 22022}}),
}
ON_R1 = {"context": {"devices": [R1]}}


def some_key() -> str:
    name, number = b"ssh-ed25519", os.urandom(32)
    return base64.b64encode(
        struct.pack("!I", len(name)) + name + struct.pack("!I", len(number)) + number
    ).decode()


def report(host: str = "10.0.0.1", port: int = 22, key: str | None = None) -> HostKey:
    return HostKey(host=host, port=port, key_type="ssh-ed25519", key=key or some_key())


async def known_to_the_next_job(stage: Scene, **asked: Any) -> list[list[Any]]:
    """What the order of a further job carries."""
    number = len(stage.launcher.children) + 1
    running = stage.begin(job(job_id=f"job {number}", **asked))
    child = await stage.child(number)
    _, payload = await stage.order(child)
    await stage.end(child)
    await asyncio.wait_for(running, PATIENCE_SECONDS)
    keys: list[list[Any]] = json.loads(payload).get("host_keys", [])
    return keys


async def run(stage: Scene, *reports: HostKey, **asked: Any) -> None:
    """Run a job whose block reports these."""
    number = len(stage.launcher.children) + 1
    running = stage.begin(job(job_id=f"job {number}", **asked))
    child = await stage.child(number)
    await stage.order(child)
    for each in reports:
        await child.send(each.pack())
    await stage.end(child)
    assert (await asyncio.wait_for(running, PATIENCE_SECONDS)).verdict.success


async def test_a_key_that_one_job_sees_first_is_in_the_order_of_the_next_on_that_device_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with scene(tmp_path) as stage:
        key = some_key()
        await run(stage, report(key=key), **ON_R1)
        assert await known_to_the_next_job(stage, **ON_R1) == [["10.0.0.1", 22, "ssh-ed25519", key]]
        assert await known_to_the_next_job(stage, context={"devices": [BEHIND]}) == []
        assert await known_to_the_next_job(stage) == []
        (facts,) = told(caplog, HostKeyAcceptedOnce)
        assert (facts["host"], facts["port"], facts["job"]) == ("10.0.0.1", 22, "job 1")


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_new_key_is_said_to_be_known_from_now_on_only_where_it_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, keeps: bool
) -> None:
    caplog.set_level("INFO")
    store = HostKeyStore(tmp_path if keeps else None)
    await store.open()
    try:
        endpoints = frozenset({Endpoint("10.0.0.1", 22)})
        JobHostKeys(store, "job 1", "accept-new", endpoints, []).heard(report())
    finally:
        await store.close()
    assert (len(told(caplog, HostKeyKept)), len(told(caplog, HostKeyAcceptedOnce))) == (keeps, not keeps)
    assert ("from now on" in caplog.text, "for this run only" in caplog.text) == (keeps, not keeps)


async def test_ports_and_jump_hosts_count_as_the_engine_names_them(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        keys = [some_key() for _ in range(3)]
        reports = [
            report("10.0.0.2", 2222, keys[0]),
            report("10.9.0.1", 22022, keys[1]),
            report("r1.lab", 2022, keys[2]),
        ]
        behind = {"context": {"devices": [BEHIND]}}
        on_another_port = {"context": {"devices": [R1]}, "parameters": {"port": 2022}}
        await run(stage, *reports[:2], **behind)
        await run(stage, reports[2], **on_another_port)
        assert sorted(key[3] for key in await known_to_the_next_job(stage, **behind)) == sorted(keys[:2])
        assert [key[3] for key in await known_to_the_next_job(stage, **on_another_port)] == [keys[2]]


async def test_a_large_job_has_the_same_keys_as_a_small_one(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        key = some_key()
        devices = [{**R1, "currentConfiguration": "x" * 100_000}, BEHIND]
        context = json.dumps({"interfaces": [], "devices": devices}).encode()
        texts: dict[str, Any] = {"parameters": b"{}", "context": context}
        await run(stage, report(key=key), report("10.9.0.1", 22022, key), **texts)
        known = await known_to_the_next_job(stage, **texts)
        assert sorted(known) == [
            ["10.0.0.1", 22, "ssh-ed25519", key],
            ["10.9.0.1", 22022, "ssh-ed25519", key],
        ]
        assert await known_to_the_next_job(stage, **ON_R1) == [["10.0.0.1", 22, "ssh-ed25519", key]]


async def test_a_block_can_give_no_key_to_a_device_that_is_not_its_jobs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        foreign = [
            report("10.0.0.2", 22),
            report("10.0.0.1", 2222),
            report("10.9.0.1", 22022),
            report("r1", 22),
        ]
        await run(stage, *foreign, **ON_R1)
        assert await known_to_the_next_job(stage, context={"devices": [R1, BEHIND]}) == []
        assert [(facts["host"], facts["port"]) for facts in told(caplog, HostKeyRefused)] == [
            (each.host, each.port) for each in foreign
        ]


async def test_a_block_can_not_put_a_key_in_the_place_of_a_known_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        key, forged = some_key(), some_key()
        await run(stage, report(key=key), **ON_R1)
        await run(stage, report(key=forged), report(key=key), report(key=forged), **ON_R1)
        assert [line[3] for line in await known_to_the_next_job(stage, **ON_R1)] == [key]
        assert [facts["job"] for facts in told(caplog, HostKeyConflict)] == ["job 2", "job 2"]


async def test_of_two_jobs_that_see_a_device_first_at_once_one_wins_and_the_log_tells_of_the_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        running = [stage.begin(job(job_id=name, **ON_R1)) for name in ("a", "b")]
        children: list[RecordedChild] = [await stage.child(1), await stage.child(2)]
        for child in children:
            _, payload = await stage.order(child)
            assert "host_keys" not in json.loads(payload)
        keys = [some_key(), some_key()]
        await children[1].send(report(key=keys[1]).pack())
        await until(lambda: stage.runner._host_keys.known_key(Endpoint("10.0.0.1", 22)))
        await children[0].send(report(key=keys[0]).pack())
        for child in children:
            await stage.end(child)
        await asyncio.gather(*running)
        assert [line[3] for line in await known_to_the_next_job(stage, **ON_R1)] == [keys[1]]
        (facts,) = told(caplog, HostKeyConflict)
        assert (facts["host"], facts["port"]) == ("10.0.0.1", 22)
        assert facts["key"] != facts["known"]


async def test_a_flood_of_keys_is_heard_to_a_number_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await run(stage, *(report("10.0.0.7") for _ in range(500)), **ON_R1)
        assert len(told(caplog, HostKeyRefused)) == REPORTS_BESIDE + 2  # the device has an address and a name
        assert told(caplog, HostKeyReportsIgnored) == [{"job": "job 1", "reports": REPORTS_BESIDE + 2}]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "10.0.0.1\nevil ssh-rsa AAAA"},
        {"host": "10.0.0.1,*"},
        {"host": "*"},
        {"host": "x" * 256},
        {"host": ""},
        {"port": 0},
        {"port": 65536},
        {"key_type": "ssh-ed25519 AAAA\n*"},
        {"key": "AAAA\n* ssh-ed25519 AAAA"},
        {"key": "A" * 4097},
        {"key": ""},
        {"comment": "x"},
    ],
)
async def test_a_key_that_would_be_more_than_a_key_ends_its_own_job_and_is_nowhere(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    async with scene(tmp_path) as stage:
        running = stage.begin(job(**ON_R1))
        child = await stage.child()
        await stage.order(child)
        header = json.dumps({**report().model_dump(), **changes}).encode()
        await child.send(struct.pack("!II", len(header), 0) + header)
        await stage.end(child, DONE)
        finished = await asyncio.wait_for(running, PATIENCE_SECONDS)
        assert not finished.verdict.success
        assert "not a valid header" in (finished.ending.channel_problem or "")
        assert await known_to_the_next_job(stage, **ON_R1) == []


async def test_what_is_no_key_is_refused_and_the_job_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await run(stage, report(key="AAAA"), report(key=base64.b64encode(b"x" * 40).decode()), **ON_R1)
        assert await known_to_the_next_job(stage, **ON_R1) == []
        assert len(told(caplog, HostKeyRefused)) == 2


async def test_after_a_renewal_the_keys_of_the_file_that_is_set_now_are_known_and_no_others(
    tmp_path: Path,
) -> None:
    device = Endpoint("10.0.0.1", 22)
    file = tmp_path / "given"
    file.write_text(f"10.0.0.1 ssh-ed25519 {some_key()}\n")
    async with scene(tmp_path) as stage:
        known = stage.runner._host_keys = HostKeyStore(tmp_path)
        await known.open()
        assert known.known_key(device) is None
        stage.runner.renew(SETTINGS.model_copy(update={"known_hosts": file}))
        await until(lambda: known.known_key(device), "the file is read")
        stage.runner.renew(SETTINGS)
        assert known.known_key(device) is None


@pytest.mark.parametrize("policy", ["strict", "off"])
async def test_under_another_policy_a_block_can_have_no_key_kept(tmp_path: Path, policy: str) -> None:
    async with scene(tmp_path) as stage:
        stage.runner.settings = SETTINGS.model_copy(update={"host_keys": policy})
        running = stage.begin(job(**ON_R1))
        child = await stage.child()
        order, _ = await stage.order(child)
        assert order.host_keys == policy
        await child.send(report().pack())
        await stage.end(child, Outcome(success=True, message="done", body_bytes=2))
        await asyncio.wait_for(running, PATIENCE_SECONDS)
        assert stage.runner._host_keys.known_key(Endpoint("10.0.0.1", 22)) is None


@pytest.mark.parametrize(
    "context",
    [
        {}, {"devices": None}, {"devices": "x"}, {"devices": [1, None, "x"]}, {"devices": [{"ip": 5, "hostname": []}]},
        {"devices": [{"ip": "10.0.0.1", "connectionOptions": "["}]},
        {"devices": [{"ip": "10.0.0.1", "connectionOptions": '{"port": "x", "jump_host": 7}'}]},
        {"devices": [{"ip": "a b\nc", "connectionOptions": '{"jump_host": {"host": ["x"]}}'}]},
        {"devices": [{"ip": "10.0.0.1", "connectionOptions": "{" * 60_000}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_large", [False, True])
async def test_whatever_the_engine_sends_as_devices_the_job_is_run(
    tmp_path: Path, context: dict[str, Any], is_large: bool
) -> None:
    async with scene(tmp_path) as stage:
        if is_large:
            text = json.dumps(context).encode()
            await run(stage, context=text, parameters=b'{"port": {}, "jump_host": 3}')
        else:
            await run(stage, context=context, parameters={"port": {}, "jump_host": 3})
