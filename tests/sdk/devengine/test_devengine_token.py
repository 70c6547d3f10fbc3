"""Only who can read the engine's token file can speak with the engine."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from devengine_support import ECHO, HttpWorker, running_engine

from sdk.devengine import DevEngine, EngineOptions, EngineOptionsError, ListenError, TokenFileError
from sdk.devengine.__main__ import parser
from tests.patience import PATIENCE_SECONDS
from tests.tokens import bearer, routes_of


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


async def status_of(url: str, method: str, path: str, **headers: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(url) as session,
        session.request(method, path, headers=headers) as response,
    ):
        return response.status, await response.json(content_type=None) if response.status != 200 else None


async def test_every_route_but_health_wants_the_token() -> None:
    async with running_engine(test_controls=True) as engine:
        routes = [*routes_of(engine), ("GET", "/no/such/route"), ("PUT", "/dev/jobs")]
        assert len(routes) > 50
        open_to_all = set()
        for method, path in routes:
            status, answer = await status_of(engine.url, method, path)
            if status == 401:
                assert "bearer token" in answer["message"]
                assert str(engine.token_file) not in answer["message"], "whoever has none may be anybody"
            else:
                open_to_all.add((method, path, status))
        assert open_to_all == {("GET", "/health", 200), ("GET", "/health/", 200)}
        assert (await status_of(engine.url, "GET", "/", **bearer(engine.token_file or Path())))[0] == 200


async def test_only_the_whole_token_by_the_right_scheme_counts(engine: DevEngine) -> None:
    assert engine.token_file is not None
    token = engine.token_file.read_text().strip()
    wrong = ["", "Bearer", "Bearer ", f"Bearer {token}x", f"Bearer {token[:-1]}", f"Basic {token}", token]
    wrong += ["Bearer \xe4\xf6", f"Bearer {token} {token}", f"Bearer {token.swapcase()}"]
    for header in wrong:
        assert (await status_of(engine.url, "GET", "/version", Authorization=header))[0] == 401, header[:8]
    for header in (f"Bearer {token}", f"bearer  {token}"):
        assert (await status_of(engine.url, "GET", "/version", Authorization=header))[0] == 200


async def test_the_body_of_a_stranger_is_not_read(engine: DevEngine) -> None:
    async with HttpWorker(engine.url) as stranger:
        assert (await stranger.call("POST", "/dev/jobs", {"block": "hunter2"}))[0] == 401
    assert engine.requests[-1].body_text == ""


async def test_each_start_makes_a_new_token_and_the_old_one_is_void(tmp_path: Path) -> None:
    engine = DevEngine(EngineOptions(token_file=tmp_path / "token"))
    seen = set()
    for _ in range(2):
        async with engine:
            seen.add((tmp_path / "token").read_text())
            header = bearer(tmp_path / "token")
            assert (await status_of(engine.url, "GET", "/version", **header))[0] == 200
    assert len(seen) == 2
    async with engine:
        assert (await status_of(engine.url, "GET", "/version", **header))[0] == 401


@pytest.mark.usefixtures("umask")
async def test_nobody_else_can_read_the_file_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = []
    real = os.open

    def watching(path: Any, flags: int, *mode: int, **more: Any) -> int:
        descriptor = real(path, flags, *mode, **more)
        if "token" in str(path):
            created.append((stat.S_IMODE(os.fstat(descriptor).st_mode), flags & os.O_EXCL))
        return descriptor

    monkeypatch.setattr(os, "open", watching)
    async with running_engine(token_file=tmp_path / "token"):
        assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert created == [(0o600, os.O_EXCL)]


async def test_a_umask_that_takes_everything_away_leaves_a_file_that_its_owner_can_read(
    tmp_path: Path,
) -> None:
    before = os.umask(0o777)
    try:
        async with running_engine(token_file=tmp_path / "token"):
            assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    finally:
        os.umask(before)


async def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / "token").symlink_to(precious)
    # Where a killed engine, or somebody else, has left the new file of before.
    (tmp_path / ".token.new").symlink_to(precious)
    async with running_engine(token_file=tmp_path / "token"):
        assert precious.read_text() == "kept"
        assert not (tmp_path / "token").is_symlink()
    assert {file.name for file in tmp_path.iterdir()} == {"precious", "token"}


async def test_a_file_that_is_open_to_others_is_replaced_by_another_one(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    file.chmod(0o666)
    with file.open() as reader:
        async with running_engine(token_file=file):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert reader.read() == "old", "who had opened it before sees nothing of the new token"


@pytest.mark.parametrize("where", ["a directory", "missing/token"])
async def test_a_place_where_no_file_can_be_is_refused_and_nothing_stays_open(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "a directory").mkdir()
    options = EngineOptions(database=tmp_path / "e.sqlite3", token_file=tmp_path / where)
    engine = DevEngine(options)
    with pytest.raises(TokenFileError, match="can't be written") as refused:
        await engine.start()
    assert refused.value.path == tmp_path / where
    assert not [file for file in tmp_path.rglob("*") if "new" in file.name]
    async with running_engine(database=tmp_path / "e.sqlite3"):
        pass  # neither database nor port is held


async def test_a_start_in_vain_leaves_the_token_of_the_engine_that_runs(tmp_path: Path) -> None:
    async with running_engine(token_file=tmp_path / "token") as engine:
        port = int(engine.url.rpartition(":")[2])
        with pytest.raises(ListenError):
            await DevEngine(EngineOptions(port=port, token_file=tmp_path / "token")).start()
        async with HttpWorker(engine.url, tmp_path / "token") as worker:
            assert await worker.register(ECHO)


async def test_without_a_place_for_it_the_token_ends_with_the_engine() -> None:
    async with running_engine() as engine:
        file = engine.token_file
        assert file is not None
        assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]
    assert not file.parent.exists()


def test_the_token_is_in_no_text_about_the_engine() -> None:
    from sdk.devengine.tokens import AccessToken

    token = AccessToken(Path("token"))
    assert token.value not in repr(token)
    assert len(token.value) > 40


def test_options_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineOptionsError, match="token_file and without_token"):
        EngineOptions(token_file=tmp_path / "token", without_token=True)
    with pytest.raises(EngineOptionsError, match="read_token needs without_token"):
        EngineOptions(read_token="x")


@pytest.mark.parametrize("words", [["--token-file", "t", "--without-token"], ["--without"]])
async def test_the_program_is_not_opened_beside_a_token_file_or_by_half_a_word(words: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sdk.devengine", "--port", "0", "--database", ":memory:", *words),
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert (process.returncode, output) == (2, b"")
    assert b"--without" in errors


def test_the_help_says_what_the_open_engine_is_for() -> None:
    text = " ".join(parser().format_help().split())
    assert "only for tests of the contract" in text
    assert "neops_worker_sdk" in text


async def test_an_open_engine_answers_without_a_token() -> None:
    async with running_engine(without_token=True) as engine, HttpWorker(engine.url) as worker:
        assert engine.token_file is None
        assert await worker.register(ECHO)
        assert json.dumps(await worker.poll()) == "[201, []]"
