"""`supervisor doctor`: what it finds, what it advises, and that one broken check is not the end of the others."""

import asyncio
import fcntl
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sdk.devengine import DevEngine, EngineOptions
from supervisor.commands.doctor import all_checks, installation, isolation, kernel, probes, users, variables
from supervisor.commands.doctor.command import DoctorSettings
from supervisor.commands.doctor.finding import Finding, Status
from supervisor.process import kernel_isolation
from supervisor.process import open_files as open_files_module
from supervisor.process.kernel_isolation import KernelIsolation

CHECKS = {
    "python",
    "package names",
    "variable names",
    "pidfd",
    "subreaper",
    "children lists",
    "isolation",
    "process groups",
    "job users",
    "ping",
    "open files",
    "state directory",
    "cgroups",
    "credentials",
    "clock",
    "systemd",
    "blocks",
}


def settings(**given: Any) -> DoctorSettings:
    return DoctorSettings(_cli_parse_args=False, **given)


async def doctor(*flags: str, prefix: tuple[str, ...] = ()) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(*prefix, sys.executable, "-m", "supervisor", "doctor", *flags), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode()


async def test_a_machine_that_runs_these_tests_passes_and_each_check_has_one_line(tmp_path: Path) -> None:
    async with DevEngine(EngineOptions(without_token=True, database=":memory:")) as engine:
        code, out = await doctor("--engine-url", engine.url, "--state-dir", str(tmp_path / "new"))
        assert code == 0, out
        assert len(out.splitlines()) == len(CHECKS) + 1
        assert {line.split()[0] for line in out.splitlines()} <= {"ok", "warning"}
        # It only looks: nothing is registered, and no directory is made.
        assert engine.workers() == []
        assert not (tmp_path / "new").exists()


async def test_what_fails_is_named_with_what_to_do_and_sets_the_exit_code(tmp_path: Path) -> None:
    flags = ("--json", "--engine-url", "http://127.0.0.1:9", "--function-blocks", str(tmp_path / "none"))
    code, out = await doctor(*flags, "--state-dir", str(tmp_path))
    found = {item["check"]: item for item in json.loads(out)["checks"]}
    assert code == 1
    assert found.keys() == CHECKS | {"engine"}
    failed = {name for name, item in found.items() if item["status"] == "failed"}
    assert failed == {"engine", "blocks"}
    assert "127.0.0.1:9" in found["engine"]["text"]
    assert all(item["advice"] for item in found.values() if item["status"] != "ok")


async def test_no_check_shows_the_password_in_the_engine_s_address() -> None:
    async with DevEngine(EngineOptions(without_token=True, database=":memory:")) as engine:
        for url, status in ((engine.url, Status.OK), ("http://127.0.0.1:9", Status.FAILED)):
            found = await probes.engine(settings(engine_url=url.replace("://", "://me:Trellis-Wagon-1842@")))
            assert found is not None
            assert (found.status, found.text.split(maxsplit=1)[0].rstrip(":")) == (
                status,
                url.replace("://", "://***@"),
            )
            assert "Trellis" not in found.text


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (b'404 No\r\n\r\n{"message": "Cannot POST"}', Status.WARNING, "An older engine"),
        (b"404 No\r\n\r\n<html>not here", Status.FAILED, "Check the URL"),
        (b'401 No\r\n\r\n{"message": "Unauthorized"}', Status.FAILED, "--engine-token-file"),
    ],
    ids=["older", "no engine", "token"],
)
async def test_an_engine_that_does_not_answer_the_check_is_judged_as_the_worker_s_start_would(
    answer: bytes, status: Status, words: str
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await probes.engine(settings(engine_url=f"http://127.0.0.1:{port}"))
    assert found is not None
    assert (found.status, words in found.advice) == (status, True)


async def test_modules_that_can_t_be_imported_are_named_in_a_sentence_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import sdk\nsdk.register_function_block\nimport no_such_module")
    settings = DoctorSettings(
        _cli_parse_args=False, function_blocks=[str(tmp_path / "broken.py")], state_dir=tmp_path
    )
    found = await probes.blocks(settings)
    assert found.text.startswith("0 imported; ")
    assert "No module named 'no_such_module'. If it is a library, install it" in found.text
    assert found.text.endswith("directory of blocks.")


async def test_what_a_module_has_raised_is_on_the_line_of_its_check_and_repaints_no_terminal(
    tmp_path: Path,
) -> None:
    module = tmp_path / "broken.py"
    module.write_text(
        "import sdk\nraise RuntimeError('one\\ntwo\\x1b[2J')\nclass Base(sdk.FunctionBlock): ...\n"
    )
    code, out = await doctor("--function-blocks", str(module), "--state-dir", str(tmp_path / "new"))
    assert (code, len(out.splitlines())) == (1, len(CHECKS))
    assert "RuntimeError: one two\\x1b[2J" in out


def test_a_misspelt_variable_is_named_with_the_nearest_setting_also_where_it_is_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("NEOPS_MAX_CONCURENT_JOBS=4\nOTHERS_NAME=1\n")
    monkeypatch.setenv("NEOPS_LOG_LEVLE", "debug")
    found = variables.variable_names(settings())
    assert found.status is Status.WARNING
    assert "NEOPS_MAX_CONCURENT_JOBS in .env, line 1 is no setting" in found.text
    assert "Did you mean NEOPS_MAX_CONCURRENT_JOBS?" in found.text
    assert "NEOPS_LOG_LEVLE in the environment is no setting" in found.text
    assert "OTHERS_NAME" not in found.text


def test_too_few_open_files_for_the_slots_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files_module.resource, "getrlimit", lambda _: (256, 256))
    few = settings(max_concurrent_jobs=2, max_job_open_files=128)
    assert installation.open_files(few).status is Status.OK
    finding = installation.open_files(settings(max_concurrent_jobs=2))
    assert finding.status is Status.WARNING
    assert "gets 128; --max-job-open-files says 1024" in finding.text
    finding = installation.open_files(settings(max_concurrent_jobs=40))
    assert finding.status is Status.FAILED
    assert "LimitNOFILE" in finding.advice


def test_a_state_directory_of_a_running_worker_is_fine_and_one_open_to_others_is_not(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    descriptor = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    finding = installation.state_directory(settings(state_dir=tmp_path))
    assert (finding.status, "in use by a running worker" in finding.text) == (Status.OK, True)
    os.close(descriptor)
    assert "not in use" in installation.state_directory(settings(state_dir=tmp_path)).text
    tmp_path.chmod(0o711)  # as it is with job users
    assert installation.state_directory(settings(state_dir=tmp_path)).status is Status.OK
    tmp_path.chmod(0o755)
    assert installation.state_directory(settings(state_dir=tmp_path)).status is Status.WARNING


def test_a_state_directory_in_which_no_worker_of_this_user_starts_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    assert installation.state_directory(settings(state_dir=tmp_path)).status is Status.OK
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    finding = installation.state_directory(settings(state_dir=tmp_path))
    assert (finding.status, "this worker runs as user 4711" in finding.text) == (Status.FAILED, True)


@pytest.mark.parametrize(
    ("inodes", "left", "status"),
    [(10**6, 12, Status.FAILED), (10**6, 10**5, Status.OK), (0, 0, Status.OK)],
    ids=["none left", "enough", "not counted"],
)
def test_a_disk_that_takes_no_more_files_is_a_failure_however_much_space_it_has(
    inodes: int, left: int, status: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    free = SimpleNamespace(
        f_bavail=10**9, f_bfree=10**9, f_blocks=10**9, f_frsize=4096, f_files=inodes, f_favail=left
    )
    monkeypatch.setattr(os, "statvfs", lambda _: free)
    finding = installation.state_directory(settings(state_dir=tmp_path))
    assert finding.status is status
    assert status is Status.OK or "df -i" in finding.advice


@pytest.mark.needs("other users")
def test_root_is_not_told_to_take_the_state_directory_from_the_service_that_it_belongs_to(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 65534, 65534)
    assert installation.state_directory(settings(state_dir=tmp_path)).status is Status.OK
    tmp_path.chmod(0o755)
    finding = installation.state_directory(settings(state_dir=tmp_path))
    assert (finding.status, finding.advice) == (Status.WARNING, f"chmod 700 {tmp_path}")


@pytest.mark.parametrize(
    ("allowed", "status"),
    [("1\t0\n", Status.WARNING), ("0\t2147483647\n", Status.OK), ("5\t200003\n", Status.WARNING)],
)
def test_ping_is_judged_by_the_groups_that_jobs_run_as(
    allowed: str, status: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "range").write_text(allowed)
    monkeypatch.setattr(kernel, "_PING_RANGE", tmp_path / "range")
    finding = kernel.ping(settings(job_users="200000-200007"))
    assert finding.status is status
    assert status is Status.OK or "net.ipv4.ping_group_range" in finding.text + finding.advice


async def test_a_check_that_breaks_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Any) -> Finding:
        raise ZeroDivisionError

    monkeypatch.setattr(all_checks, "CHECKS", (breaks, kernel.python))
    monkeypatch.setattr(all_checks, "OUTSIDE", ())
    findings = await all_checks.examine(settings())
    assert [finding.status for finding in findings] == [Status.FAILED, Status.OK]
    assert "ZeroDivisionError" in findings[0].text


def test_isolation_says_what_the_kernel_lacks_and_what_off_means(monkeypatch: pytest.MonkeyPatch) -> None:
    def on(kernel: KernelIsolation, **given: Any) -> Finding:
        monkeypatch.setattr(kernel_isolation, "detect", lambda: kernel)
        return isolation.isolation(settings(**given))

    whole = on(KernelIsolation(6, seccomp=True), isolation="kernel")
    assert (whole.status, "Landlock ABI 6" in whole.text) == (Status.OK, True)
    old = on(KernelIsolation(2, no_seccomp="this kernel has none"), isolation="kernel")
    assert old.status is Status.WARNING
    assert "Linux 6.12" in old.text
    assert "this kernel has none" in old.text
    assert on(KernelIsolation(6, seccomp=True), isolation="off").status is Status.WARNING
    assert (
        on(KernelIsolation(6, seccomp=True), isolation="off", job_users="200000-200007").status is Status.OK
    )


@pytest.mark.parametrize(("user", "words"), [(0, "can read the disk"), (1000, "the check `isolation` says")])
def test_without_job_users_it_is_said_what_keeps_jobs_from_the_worker_s_files(
    user: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_isolation, "detect", lambda: KernelIsolation(6, seccomp=True))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert words in users.job_users(settings(isolation="kernel")).text
