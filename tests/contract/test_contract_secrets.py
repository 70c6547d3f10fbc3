"""Credentials: conformance test 15 of the engine contract, invariant I9."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from contract_support import SLOW, Setup, job_item

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

PASSWORD = "Tr0ub4dor-and-3"
COMMUNITY = "c0mmunity-string"
DEVICE = {"id": 5, "hostname": "sw5", "username": "admin", "password": PASSWORD}
JOB: dict[str, Any] = {"context": {"devices": [DEVICE]}, "run_on": "device", "entity_id": 5}


# A spare or a process that was seen can end at any time, and its files in /proc with it.
ENDED = (ProcessLookupError, FileNotFoundError)


def processes_of(setup: Setup) -> list[Path]:
    """Every process below the keeper, and the keeper."""
    found = [setup.worker.keeper_pid]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(*ENDED):
                found += map(int, children.read_text().split())
    return [Path(f"/proc/{pid}") for pid in found]


def kept_files(setup: Setup) -> bytes:
    kept = b""
    for path in setup.worker.state_dir.rglob("*"):
        with suppress(FileNotFoundError):  # the worker has just removed or renamed it
            kept += path.read_bytes() if path.is_file() else b""
    return kept


@pytest.mark.parametrize("choice", ["", "raise"])
async def test_a_block_that_tells_its_password_to_everyone_is_masked(setup: Setup, choice: str) -> None:
    """ansible/awx#854: passwords of network devices appear in what jobs print.

    Number 15: logs, output, message and exception. The log is at its most verbose level here.
    """
    result = await setup.run("contract/leak:1.0.0", {"choice": choice}, **JOB)
    for text in ("logged ***", "root-logged ***", "printed ***", "complained ***"):
        await setup.logged(text)
    assert ("raised ***" if choice else "returned ***") in result["message"]
    assert PASSWORD not in setup.log
    assert PASSWORD not in str(setup.engine.requests)
    assert all(PASSWORD not in request.body_text for request in setup.engine.requests)


async def test_a_job_log_never_goes_to_the_engine(setup: Setup) -> None:
    """Number 15: W7 needs a workflow id that no job carries, so nothing is sent there at all."""
    await setup.run("contract/leak:1.0.0", {"choice": ""}, **JOB)
    assert setup.sent("log") == []
    assert setup.engine.logs() == []


@asynccontextmanager
async def job_with_credentials(setup: Setup) -> AsyncIterator[list[Path]]:
    """Yield the worker's processes while a job runs that has credentials; it still runs at the end."""
    parameters = {"seconds": 600, "snmp_community": COMMUNITY}
    job_id = setup.engine.submit(block=SLOW, parameters=parameters, context={"devices": [DEVICE]})
    await setup.started(job_id)
    processes = processes_of(setup)
    assert len(processes) >= 4  # keeper, supervisor, template, child
    yield processes
    assert setup.engine.job(job_id).status == "polled"


def assert_no_credentials(texts: list[bytes]) -> None:
    for secret in (PASSWORD, COMMUNITY):
        assert all(secret.encode() not in text for text in texts)


async def test_credentials_are_on_no_disk_or_command_line_and_in_no_log(fresh: Setup) -> None:
    """Number 15, I9: looked for while the job that has them runs."""
    async with job_with_credentials(fresh) as processes:
        assert_no_credentials([kept_files(fresh), fresh.log.encode()])
        for process in processes:
            with suppress(*ENDED):
                assert_no_credentials([(process / "cmdline").read_bytes()])


async def test_credentials_are_in_no_environment(fresh: Setup) -> None:
    """Number 15, I9. Without privileges some are closed to the test too, as they are to every other job."""
    closed: list[str] = []
    async with job_with_credentials(fresh) as processes:
        for process in processes:
            try:
                assert_no_credentials([(process / "environ").read_bytes()])
            except ENDED:
                continue
            except PermissionError:
                closed.append(f"{process}/environ ({(process / 'comm').read_text().strip()})")
    if closed:
        pytest.skip(f"this user may not read {', '.join(closed)}; the other environments hold no credentials")


async def test_a_malformed_job_does_not_put_its_credentials_into_the_log(setup: Setup) -> None:
    """Number 15: what can't be read may hold them all the same."""
    devices = {"devices": PASSWORD, "deviceGroups": [], "interfaces": []}
    malformed: dict[str, dict[str, Any]] = {
        "secret-type": {"type": PASSWORD},
        "secret-parameters": {"parameters": PASSWORD},
        "secret-context": {"context": [DEVICE]},
        "secret-entity": {"entityId": PASSWORD},
        "secret-devices": {"context": devices, "runOn": "device", "entityId": 5},
        "secret-block": {"functionBlockId": "contract/change:1.0.0", "context": devices, "runOn": "device"},
    }
    for name, changes in malformed.items():
        setup.engine.inject_raw_item(job_item(name, **changes))
        result = await setup.result(name)
        assert PASSWORD not in str(result)
    assert await setup.works()
    assert PASSWORD not in setup.log
