"""The token for the engine: a file that can't be used is named with what to do, and a new token is taken up."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from sdk.devengine import DevEngine, EngineOptions
from supervisor.engine import EngineAccess, EngineApi
from supervisor.engine.access_token import AccessToken
from supervisor.engine.submission import Submissions
from supervisor.errors import EngineError, StartRefusedError
from supervisor.process.user_names import user_name
from supervisor.settings.token_file import is_on_this_machine, read_token
from tests.capabilities import NOBODY

HERE = "http://127.0.0.1:3030"
ELSEWHERE = "https://engine.example"
TOKEN = "swordfish-of-the-engine"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text(TOKEN + "\n")
    return file


def refusal(file: Path, url: str = HERE) -> str:
    with pytest.raises(StartRefusedError) as refused:
        read_token(file, url)
    message = str(refused.value)
    assert str(file) in message
    assert TOKEN not in message
    return message


@pytest.mark.parametrize("url", [HERE, ELSEWHERE])
def test_what_is_no_token_is_refused_wherever_the_engine_is(file: Path, tmp_path: Path, url: str) -> None:
    assert read_token(file, url) == TOKEN
    assert "does not exist. Start the engine, which writes it" in refusal(tmp_path / "missing", url)
    assert "is a directory. Name the file that holds the token." in refusal(tmp_path, url)
    for content, reason in ((b"", "is empty"), (b" \n", "is empty"), (b"two words", "holds no token")):
        file.write_bytes(content)
        assert reason in refusal(file, url)
    file.write_bytes(b"t" * 8192 + b"\n")
    assert "is larger than 8 KiB" in refusal(file, url)
    file.write_bytes(f"{TOKEN}\0\xff".encode("latin-1"))
    assert "holds no token" in refusal(file, url)


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "is no regular file" in refusal(tmp_path / "pipe")


def test_a_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        assert "can't be read" in refusal(tmp_path / "s")


@pytest.mark.parametrize(
    ("mode", "who"),
    [(0o644, "every user"), (0o604, "every user"), (0o602, "every user"), (0o640, "its group")],
)
def test_a_file_that_others_can_open_is_refused_for_an_engine_on_this_machine(
    file: Path, mode: int, who: str
) -> None:
    file.chmod(mode)
    message = refusal(file)
    assert f"is open to {who}" in message
    assert f"(mode {mode:04o})" in message
    assert "Start the engine anew" in message
    assert file.stat().st_mode & 0o777 == mode, "it is not mended: others may have read it"
    assert read_token(file, ELSEWHERE) == TOKEN, "as Kubernetes mounts it"


@pytest.mark.needs("other users")
def test_a_file_of_another_user_is_refused_for_an_engine_on_this_machine(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(file, NOBODY - 1, NOBODY)
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert f"belongs to {user_name(NOBODY - 1)}, and this runs as {user_name(NOBODY)}" in refusal(file)
    assert read_token(file, ELSEWHERE) == TOKEN


@pytest.mark.needs("other users")
def test_root_takes_the_private_file_of_whoever_runs_the_engine(file: Path) -> None:
    os.chown(file, NOBODY - 1, NOBODY)
    assert read_token(file, HERE) == TOKEN
    for mode, who in (
        (0o640, "its group"),
        (0o620, "its group"),
        (0o604, "every user"),
        (0o602, "every user"),
    ):
        file.chmod(mode)
        assert f"is open to {who}" in refusal(file)


@pytest.mark.needs("other users")
def test_root_takes_no_file_to_which_somebody_else_than_its_owner_has_linked(
    file: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    assert read_token(link, HERE) == TOKEN
    os.chown(link, NOBODY - 1, NOBODY, follow_symlinks=False)
    assert f"is a link of {user_name(NOBODY - 1)} to a file of user root" in refusal(link)
    os.chown(file, NOBODY - 1, NOBODY)
    assert read_token(link, HERE) == TOKEN


@pytest.mark.needs("other users")
def test_root_takes_the_file_of_a_service_whose_user_exists_only_while_it_runs(file: Path) -> None:
    os.chown(file, NOBODY, NOBODY)  # as systemd keeps it on the disk (DynamicUser=)
    assert read_token(file, HERE) == TOKEN
    file.chmod(0o604)
    assert "is open to every user" in refusal(file)


@pytest.mark.needs("other users")
def test_a_file_that_root_lends_to_a_group_is_taken(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.chmod(0o640)
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert read_token(file, HERE) == TOKEN, "as systemd hands over a credential"
    file.chmod(0o644)
    assert "is open to every user" in refusal(file)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("http://127.9.9.9", True),
        ("http://engine:3030", False),
        ("https://192.0.2.1", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_an_engine_on_this_machine_is_told_by_its_address(url: str, here: bool) -> None:
    assert is_on_this_machine(url) is here


@pytest.mark.usefixtures("way")
async def test_a_worker_takes_up_the_token_of_an_engine_that_was_started_anew(tmp_path: Path) -> None:
    engine = DevEngine(EngineOptions(database=tmp_path / "e.sqlite3", token_file=tmp_path / "token"))
    await engine.start()
    api = EngineApi(EngineAccess(engine.url, token_file=tmp_path / "token"))
    try:
        await api.check_compatibility()
        uuid = await api.register_worker("1", None, None)
        before = (tmp_path / "token").read_text()
        port = int(engine.url.rpartition(":")[2])
        await engine.stop()
        await engine.start(port)
        assert (tmp_path / "token").read_text() != before
        engine.clear_requests()
        # All at once, as poll, heartbeat and results are under way at once.
        pings = await asyncio.gather(*(api.ping(uuid) for _ in range(5)), api.poll(uuid, [], 1))
        assert pings[:5] == [True] * 5
        assert await api.ping(uuid)
        assert [request.status for request in engine.requests].count(401) <= 6
        assert engine.requests[-1].status == 200
    finally:
        await api.close()
        await engine.stop()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.unlink(), "does not exist"),
        (lambda file: file.write_text(""), "is empty"),
        (lambda file: file.write_bytes(b"t" * 9_000_000), "is larger than 8 KiB"),
        (lambda file: file.chmod(0o644), "is open to every user"),
        (lambda file: file.write_text("another-token"), "which its user finds in the file that it names at"),
    ],
    ids=["missing", "empty", "too large", "too open", "of no engine"],
)
async def test_a_file_that_was_spoilt_meanwhile_is_said_and_the_request_is_not_sent_again(
    tmp_path: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    file = tmp_path / "token"
    async with DevEngine(EngineOptions(token_file=file)) as engine:
        engine_access = EngineAccess(engine.url, token_file=file)
        token = file.read_text()
        file.write_text("void")
        submissions = Submissions(engine_access)
        try:
            spoil(file)
            with pytest.raises(EngineError, match=reason) as refused:
                await submissions.blocks()
        finally:
            await submissions.close()
    assert (refused.value.status, refused.value.retryable) == (401, False)
    # The engine itself tells nobody where its token lies; of the others this side knows the file.
    assert (str(file) in str(refused.value)) == ("which its user finds" not in reason)
    assert token.strip() not in str(refused.value)
    assert len(engine.requests) <= 2


async def test_the_last_good_token_stays_in_use_where_the_file_became_too_large(file: Path) -> None:
    token = AccessToken(file, HERE)
    file.write_bytes(b"t" * 9_000_000)
    with pytest.raises(StartRefusedError, match="is larger than 8 KiB"):
        await token.renew(TOKEN)
    assert token.value == TOKEN
    file.write_text("another")
    assert await token.renew(TOKEN)
    assert token.value == "another"
