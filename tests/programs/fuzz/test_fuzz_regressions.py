"""What fuzzing has found once, and a few cases of each fuzzer; the many are `make fuzz`."""

import asyncio
import gzip
import json
import random
import struct
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from jobrunner.protocol.catalogue import ImportProblem
from jobrunner.protocol.frames import Frame, FrameError, pack
from jobrunner.protocol.messages import from_child
from supervisor.engine import EngineAccess, EngineApi
from supervisor.errors import EngineError
from tests.programs.fuzz.__main__ import run
from tests.programs.fuzz.engine import EngineReplies
from tests.programs.fuzz.frames import SECRET, check_bytes
from tests.programs.fuzz.jobs import JobLists
from tests.programs.fuzz.template import check_births, check_report

DICE = random.Random(0)
GOOD_JOB = {
    "functionBlockId": "fuzz/echo:1.0.0",
    "type": "execute",
    "runOn": "global",
    "parameters": {},
    "context": {},
}


@pytest.mark.parametrize("name", ["frames", "template", "engine", "jobs"])
async def test_a_few_cases_of_each_fuzzer_find_nothing(name: str) -> None:
    report = await run(name, seed=5, numbers=range(150))
    assert report.failures == {}
    assert report.more_descriptors <= 0


async def test_the_unknown_type_of_a_frame_is_not_repeated_in_the_result_since_it_may_be_a_password() -> None:
    await check_bytes(DICE, pack(json.dumps({"type": SECRET}).encode()))


async def test_the_result_of_a_header_full_of_text_is_short() -> None:
    await check_bytes(DICE, pack(json.dumps({"type": "m" * 100_000}).encode()))


def test_a_header_full_of_unknown_fields_is_refused_as_a_whole() -> None:
    fields = dict.fromkeys(map(str, range(5000)), 0)
    with pytest.raises(FrameError, match="nothing in it is right"):
        from_child(Frame(json.dumps({"type": "ready", "pid": 1} | fields).encode(), b""))


@pytest.mark.parametrize(
    "sent",
    [
        pack(b'{"type":"importing","module":"m"}') + pack(b'{"type":"nonsense"}'),
        pack(b'{"type":"importing","module":"m"}') + pack(b'{"type":"catalogue"}', b'{"blocks": 5}'),
        pack(b'{"type":"importing","module":"m"}') + struct.pack("!II", 2**31, 0),
    ],
    ids=["no report", "no catalogue", "no frame"],
)
async def test_a_module_that_writes_to_the_report_is_a_problem_of_its_own(sent: bytes) -> None:
    problem = await check_report(sent)
    assert isinstance(problem, ImportProblem)
    assert (problem.module, problem.kind) == ("m", "crash")


@pytest.mark.parametrize("pid", [-1, 1, 2**22 + 1, 2**31 - 1, -(2**31)])
async def test_what_is_no_child_s_number_is_neither_waited_for_nor_signalled(pid: int) -> None:
    await check_births([struct.pack("=Qii", 1, pid, 0)])
    await check_births([struct.pack("=Qii", 99, pid, 0)])


@pytest.mark.parametrize("sent", [b"x", b"[]", b"{}", b"\xff" * 16, b"[" * 255], ids=str)
async def test_what_is_no_birth_gives_the_template_up_instead_of_raising_in_a_sweep(sent: bytes) -> None:
    await check_births([sent])


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[EngineReplies]:
    async with EngineReplies() as engine:
        yield engine


def reply(body: object) -> bytes:
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)


@pytest.mark.parametrize("version", ["9" * 5000 + ".1.1", "\ud800", {"a": ["b" * 5000]}, None])
async def test_a_version_that_is_none_is_shortened_and_taken_for_one_that_is_not_known(
    engine: EngineReplies, version: object
) -> None:
    engine.reply = reply({"compatible": True, "version": version})
    answer = await engine.api.check_compatibility()
    assert answer.compatible
    assert answer.engine_version.isascii()
    assert len(answer.engine_version) <= 100


@pytest.mark.parametrize("uuid", ["\ud800", "a b", "x" * 300, "a\0", 5, None, ""])
async def test_a_uuid_that_fits_into_no_url_and_no_journal_is_refused(
    engine: EngineReplies, uuid: object
) -> None:
    engine.reply = reply({"uuid": uuid})
    with pytest.raises(EngineError, match="uuid that can be used"):
        await engine.api.register_worker("1", None, None)


async def test_what_the_engine_sent_instead_of_http_is_not_repeated_at_length(engine: EngineReplies) -> None:
    await engine.check_reply(DICE, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n")


@pytest.mark.parametrize("is_plain", [True, False], ids=["plain", "aiohttp"])
async def test_cookies_of_the_engine_are_not_kept(is_plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    if not is_plain:
        monkeypatch.setattr("supervisor.engine.http.plain_address", lambda *_: None)
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        # By a name: aiohttp never keeps cookies of an address.
        api = EngineApi(EngineAccess(f"http://localhost:{server.sockets[0].getsockname()[1]}"))
        await api.ping("uuid")
        await api.ping("uuid")
        await api.close()
    assert len(requests) == 2
    assert b"cookie" not in b"".join(requests).lower()


@pytest_asyncio.fixture
async def jobs() -> AsyncIterator[JobLists]:
    async with JobLists() as jobs:
        yield jobs


@pytest.mark.parametrize(
    "changes",
    [
        {"functionBlockId": "x" * 200_000},
        {"stepLabel": "x" * 200_000},
        {"jobId": "x" * 200_000},
        {"parameters": {"k" * 20_000 + "\ud800": 1}},
        {"context": {"\ud800" * 5: 1, "Fuzz-Secret-1": {}}},
    ],
    ids=["block", "label", "id", "key", "context"],
)
async def test_a_job_with_a_monstrous_field_fails_with_a_short_message_and_its_neighbour_runs(
    jobs: JobLists, changes: dict[str, object]
) -> None:
    bad = GOOD_JOB | {"jobId": "bad"} | changes
    await jobs.check_answer(json.dumps([bad, GOOD_JOB | {"jobId": "good"}]).encode())
    assert len(jobs.results) == 2


async def test_an_answer_is_never_unpacked_so_that_a_small_one_stays_small(engine: EngineReplies) -> None:
    body = gzip.compress(b"[" + b" " * 2**20 + b"]")
    engine.reply = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )
    with pytest.raises(EngineError, match="is not JSON that can be read"):
        await engine.api.poll("uuid", (), 1)
