"""A support bundle: bounded, private, without secrets, and it says what it lacks."""

import json
import os
import resource
import signal
import stat
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from supervisor.commands.shared import service_places
from supervisor.commands.shared.common import ended_as_by_ctrl_c
from supervisor.commands.support_bundle import archive as archive_module
from supervisor.commands.support_bundle import collection as collecting_module
from supervisor.commands.support_bundle import ended_jobs
from supervisor.commands.support_bundle import worker as worker_module
from supervisor.commands.support_bundle.archive import Archive
from supervisor.commands.support_bundle.collection import LeftOutError, Part, Text, collect_into, output_of
from supervisor.commands.support_bundle.contents import parts_for
from supervisor.commands.support_bundle.machine import process, read_small, versions
from supervisor.commands.support_bundle.redaction import Redaction
from supervisor.commands.support_bundle.secrets_here import secrets_of
from supervisor.commands.support_bundle.state_files import listing
from supervisor.commands.support_bundle.worker import log_asked, systemd_parts, unit_of
from supervisor.journal.ended_jobs.ended_job import EndedJob
from supervisor.journal.ended_jobs.files import EndedJobFiles
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.protocol import JsonObject
from tests.patience import PATIENCE_SECONDS, wait_until

SECRET = "Trellis-Wagon-1842"
KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\nAAAABG5vbmU\n-----END OPENSSH PRIVATE KEY-----"
)


def content(path: Path) -> dict[str, str]:
    with tarfile.open(path) as tar:
        return {
            member.name.partition("/")[2]: file.read().decode()
            for member in tar
            if (file := tar.extractfile(member)) is not None
        }


def made(
    tmp_path: Path, *parts: Part, secrets: tuple[str, ...] = (SECRET,)
) -> tuple[dict[str, str], list[str]]:
    path = tmp_path / "bundle.tar.gz"
    with Archive(path) as archive:
        collect_into(archive, parts, Redaction(secrets))
        left_out = list(archive.left_out)
    return content(path), left_out


def test_the_archive_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made(tmp_path, Part("a.txt", lambda: "text"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "bundle.tar.gz").stat().st_mode) == 0o600
    with tarfile.open(tmp_path / "bundle.tar.gz") as tar:
        assert [(each.name, each.mode, each.isreg()) for each in tar] == [("bundle/a.txt", 0o600, True)]


def test_nothing_is_written_over_and_no_link_is_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("kept")
    (tmp_path / "link.tar.gz").symlink_to(target)
    (tmp_path / "dangling.tar.gz").symlink_to(tmp_path / "nowhere")
    for name in ("target", "link.tar.gz", "dangling.tar.gz"):
        with pytest.raises(FileExistsError), Archive(tmp_path / name):
            pass
    assert target.read_text() == "kept"
    assert not (tmp_path / "nowhere").exists()


def test_a_signal_in_the_moment_in_which_the_file_comes_into_being_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def opened_and_ended(*given: Any) -> int:
        descriptor = opened(*given)
        signal.raise_signal(signal.SIGTERM)
        return descriptor

    monkeypatch.setattr(os, "open", opened_and_ended)
    with (
        pytest.raises(SystemExit),
        ended_as_by_ctrl_c(signal.SIGTERM),
        Archive(tmp_path / "bundle.tar.gz"),
    ):
        pytest.fail("it went on")
    assert os.listdir(tmp_path) == []


def test_nothing_is_left_of_an_archive_that_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Archive(tmp_path / "bundle.tar.gz"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_on_a_full_disk_nothing_is_left_and_the_error_is_told(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path = tmp_path / "bundle.tar.gz"
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        with pytest.raises(OSError, match="File too large"), Archive(path) as archive:
            archive.add("random.txt", os.urandom(100_000).hex())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not path.exists()


@pytest.mark.parametrize(
    "planted",
    [
        f"token {SECRET}", f'{{"a": "{SECRET}"}}', f"https://user:{SECRET}@engine/x", "https://user:p4ss@engine/x",
        "password=hunter22", "Authorization: Bearer abcdef123456", f"x\n{KEY}\ny", "Basic dXNlcjpwYXNzd29yZA==",
        "z" * 70_000 + "\n" + SECRET,
    ],
)  # fmt: skip
def test_no_planted_secret_is_in_the_archive_as_text_or_as_json(planted: str, tmp_path: Path) -> None:
    found, _ = made(
        tmp_path,
        Part("text.txt", lambda: planted),
        Part("data.json", lambda: {"rows": [{"note": planted, planted: 1, "password": "hunter22"}]}),
    )
    assert len(found) == 2
    for text in found.values():
        for secret in (
            SECRET,
            "p4ss",
            "hunter22",
            "abcdef123456",
            "b3BlbnNzaC1rZXktdjE",
            "dXNlcjpwYXNzd29yZA",
        ):
            assert secret not in text, text[-500:]


def test_a_short_number_that_is_a_secret_here_is_masked_too(tmp_path: Path) -> None:
    found, _ = made(tmp_path, Part("a.txt", lambda: "pin 739215, port 8080"), secrets=("739215", "80"))
    assert found == {"a.txt": "pin ***, port 8080"}


def test_what_would_repaint_a_terminal_is_escaped(tmp_path: Path) -> None:
    found, _ = made(
        tmp_path, Part("a.txt", lambda: "a\x1b[2J\u202eb\nc"), Part("b.json", lambda: ["\x1b[2J"])
    )
    assert found["a.txt"] == "a\\x1b[2J\\u202eb\nc"
    assert "\x1b" not in found["b.json"]


def test_a_part_that_fails_or_hangs_is_said_and_the_others_are_there(tmp_path: Path) -> None:
    gate = threading.Event()

    def broken() -> str:
        raise OSError(5, f"Input/output error: {SECRET}")

    def absent() -> str:
        raise LeftOutError("No worker answers.")

    found, left_out = made(
        tmp_path, Part("broken.txt", broken), Part("hangs.txt", gate.wait, 0.05), Part("absent.txt", absent),
        Part("fine.txt", lambda: "fine"),
    )  # fmt: skip
    gate.set()  # only now: it was not waited for
    assert found == {"fine.txt": "fine"}
    assert [line.partition(":")[0] for line in left_out] == ["broken.txt", "hangs.txt", "absent.txt"]
    assert "Input/output error" in left_out[0]
    assert SECRET not in left_out[0]


def test_the_time_for_all_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting_module, "TOTAL_SECONDS", 0.0)
    found, left_out = made(tmp_path, Part("a.txt", lambda: "a"))
    assert found == {}
    assert left_out == ["a.txt: 0 s were over."]


def test_of_a_text_that_is_too_long_the_end_is_there_and_of_too_many_the_rest_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "PART_CAP_BYTES", 1000)
    monkeypatch.setattr(archive_module, "TOTAL_CAP_BYTES", 1500)
    long = Part("long.txt", lambda: "begin" + "\n".join(["-" * 50] * 40) + "end")
    found, left_out = made(tmp_path, long, Part("next.txt", lambda: "n" * 900), Part("last.txt", lambda: "x"))
    assert found["long.txt"].endswith("end")
    assert "begin\n" not in found["long.txt"]
    assert sum(map(len, found.values())) < 1700
    assert [line.partition(":")[0] for line in left_out] == ["long.txt", "next.txt", "last.txt"]


def test_a_program_that_does_not_end_or_prints_without_end_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = tmp_path / "printed"

    class OverOncePrinted(threading.Timer):
        def run(self) -> None:
            wait_until(printed.exists)
            self.function()

    # Neither would end within the time that a test has.
    with monkeypatch.context() as patched:
        patched.setattr(threading, "Timer", OverOncePrinted)
        assert output_of(["sh", "-c", f"echo begun; touch {printed}; exec sleep 600"]) == Text(
            "begun\n", is_cut_off=True
        )
        printed.unlink()
        endless = output_of(["sh", "-c", f"yes | head -c 5000000; touch {printed}; exec yes"])
    assert len(endless.text) == collecting_module.OUTPUT_CAP_BYTES
    assert endless.cut_bytes + len(endless.text) >= 5_000_000
    assert endless.is_cut_off
    with pytest.raises(LeftOutError, match="has printed nothing"):
        output_of(["true"])
    with pytest.raises(LeftOutError, match="can't be run"):
        output_of(["no-such-program"])


def test_of_a_program_that_prints_too_much_the_end_is_there_and_what_is_missing_before_it_is_said(
    tmp_path: Path,
) -> None:
    long = "yes 'a line of a log that is as long as most of them are' | head -c 5000000; echo; echo last"
    printed = output_of(["sh", "-c", long], PATIENCE_SECONDS)
    assert printed.text.endswith("\nlast\n")
    assert (printed.cut_bytes + len(printed.text), printed.is_cut_off) == (5_000_006, False)
    found, left_out = made(tmp_path, Part("log.txt", lambda: printed, PATIENCE_SECONDS))
    beginning = 5_000_006 - archive_module.PART_CAP_BYTES
    assert found["log.txt"].endswith("\nlast\n")
    assert f"the beginning was cut: {beginning} bytes" in found["log.txt"]
    assert left_out == [f"log.txt: the first {beginning} bytes. A text has 2097152 bytes here at most."]


def test_that_a_program_was_ended_before_it_was_done_is_said(tmp_path: Path) -> None:
    found, left_out = made(tmp_path, Part("log.txt", lambda: Text("begun", is_cut_off=True)))
    assert (found, left_out) == (
        {"log.txt": "begun"},
        ["log.txt: the end. The program was not done in time."],
    )


DESKTOP = "/user.slice/user-1000.slice/user@1000.service/app.slice"


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("/system.slice/neops-supervisor@core.service", "neops-supervisor@core.service"),
        ("/system.slice/neops-local.service/worker", "neops-local.service"),
        ("/machine.slice/box.scope/system.slice/neops-local.service", "neops-local.service"),
        ("/", "neops-supervisor.service"),
        (f"{DESKTOP}/app-org.gnome.Terminal.slice/vte-spawn-1.scope", None),
        (f"{DESKTOP}/app-org.kde.konsole@1.service", None),
        ("/user.slice/user-1000.slice/session-3.scope", None),
        ("/user.slice/user-1000.slice/user@1000.service", None),
    ],
)
def test_the_log_of_a_person_s_session_is_never_taken_for_the_worker_s(
    cgroup: str, unit: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "read_small", lambda _: f"0::{cgroup}\n")
    if unit is not None:
        assert unit_of(1, Path("state")) == unit
        return
    for part in systemd_parts(1, Path("state")):
        with pytest.raises(LeftOutError, match="runs in no service"):
            part.collect()


@pytest.mark.parametrize(
    ("directory", "unit"),
    [
        ("neops-supervisor", "neops-supervisor.service"),
        ("private/neops-supervisor", "neops-supervisor.service"),
        ("neops-supervisor-east", "neops-supervisor@east.service"),
        ("neops-local/worker", "neops-local.service"),
        ("elsewhere", "neops-supervisor.service"),
    ],
)
def test_of_a_service_that_does_not_run_it_is_the_unit_of_its_state_directory(
    directory: str, unit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_places, "STATE", tmp_path)
    assert unit_of(None, tmp_path / directory) == unit


def test_a_state_directory_is_listed_without_following_a_link_and_without_content(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "private").write_text(SECRET)
    state = tmp_path / "state"
    (state / "below" / "deep").mkdir(parents=True)
    (state / "below" / "deep" / "deeper").write_text(SECRET)
    (state / "link").symlink_to(outside)
    entries = {entry["name"]: entry for entry in listing(state)["entries"]}
    assert sorted(entries) == ["below", "below/deep", "link"]
    assert entries["link"]["mode"].startswith("l")
    with pytest.raises(LeftOutError):
        listing(tmp_path / "absent")


def test_of_a_process_neither_environment_nor_command_line_is_read() -> None:
    found = process(os.getpid())
    assert {"status", "limits", "cgroup"} <= found.keys()
    assert not {"environ", "cmdline"} & found.keys()
    assert versions()["kernel"].startswith("Linux")
    with pytest.raises(LeftOutError):
        process(2**22 + 1)


def kept(state: Path, *job_ids: str) -> None:
    (state / "ended_jobs").mkdir(parents=True)
    files = EndedJobFiles(state / "ended_jobs", 100)
    for job_id in job_ids:
        job = EndedJob(job_id, "acme/x:1.0.0", "failed", "crashed", f"of {job_id}", 1.0)
        files.write(job, f'{{"text": "log of {job_id}"}}\n'.encode(), f"result: {SECRET}".encode())


class OneLog(ControlClient):
    """A worker that answers with these lines of a log."""

    def __init__(self, lines: str) -> None:
        super().__init__(Path("unused"))
        self._log = lines

    def stream(
        self, command: str, *, timeout_seconds: float | None = None, **arguments: Any
    ) -> Iterator[JsonObject]:
        yield {"lines": self._log, "complete": True}


@pytest.mark.parametrize("hidden", ["\x9b", "\u202e", "\U000e0041"])
def test_the_log_of_a_job_is_json_also_where_characters_in_it_are_escaped(
    tmp_path: Path, hidden: str
) -> None:
    message = {"message": f"a{hidden}b"}
    line = json.dumps(message, ensure_ascii=False) + "\n"
    job = EndedJob("one", "acme/x:1.0.0", "failed", "crashed", "", 1.0)
    (tmp_path / "ended_jobs").mkdir()
    EndedJobFiles(tmp_path / "ended_jobs", 100).write(job, line.encode(), b"")
    found, _ = made(
        tmp_path,
        Part("ended-log.jsonl", lambda: ended_jobs.log_of_job(tmp_path, "one")),
        Part("log.json", log_asked(OneLog(line), "one")),
    )
    (part,) = json.loads(found["log.json"])
    for text in (found["ended-log.jsonl"], part["lines"]):
        assert hidden not in text
        assert json.loads(text) == message


def test_of_a_job_that_has_ended_end_and_log_are_there_and_its_result_is_not(tmp_path: Path) -> None:
    kept(tmp_path, "one", "two")
    damaged, outside = tmp_path / "ended_jobs" / "000000000007.job", tmp_path / "outside"
    damaged.write_text("?")
    outside.write_text(SECRET)
    (tmp_path / "ended_jobs" / "000000000008.job").symlink_to(outside)
    found, left_out = made(
        tmp_path,
        Part("all.json", lambda: ended_jobs.latest(tmp_path)),
        Part("end.json", lambda: ended_jobs.of_job(tmp_path, "one")),
        Part("log.jsonl", lambda: ended_jobs.log_of_job(tmp_path, "one")),
        Part("unknown.json", lambda: ended_jobs.of_job(tmp_path, "three")),
        secrets=(),
    )
    assert [job["job_id"] for job in json.loads(found["all.json"])["ended_jobs"]] == ["two", "one"]
    assert json.loads(found["end.json"])["message"] == "of one"
    assert json.loads(found["log.jsonl"]) == {"text": "log of one"}
    assert left_out == ["unknown.json: Nothing is kept of an end of job three."]
    assert not [name for name, text in found.items() if SECRET in text]
    assert sorted(each.name for each in (tmp_path / "ended_jobs").iterdir()) == [
        "000000000001.job", "000000000002.job", damaged.name, "000000000008.job",
    ]  # fmt: skip


def test_a_link_is_not_read_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_small(tmp_path / "file") == "x"
    assert read_small(tmp_path / "link") is None


def test_the_secrets_of_environment_and_files_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("of-the-token-file\n")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("NEOPS_X_PASSWORD=of-the-env-file\nLANG=C\n")
    monkeypatch.setenv("NEOPS_ENGINE_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("DEVICE_PASSWORD", SECRET)
    monkeypatch.setenv("HTTPS_PROXY", "http://user:of-the-proxy@proxy:3128")
    (tmp_path / "own").write_text("of-another-file")
    found = set(secrets_of([tmp_path / "own", tmp_path / "absent"], None))
    assert {"of-the-token-file", "of-the-env-file", SECRET, "of-the-proxy", "of-another-file"} <= found


@pytest.mark.parametrize(("state", "said"), [("running", False), ("ended", True)])
def test_of_a_job_that_runs_no_end_is_missing(tmp_path: Path, state: str, said: bool) -> None:
    class Worker:
        def ask(self, command: str, **_: object) -> JsonObject:
            return {"job": {"state": state}}

        def stream(self, command: str, **_: object) -> Iterator[JsonObject]:
            return iter(())

    (tmp_path / "ended_jobs").mkdir()
    of_job = [
        part
        for part in parts_for(cast("ControlClient", Worker()), None, tmp_path, "one")
        if part.name.startswith("job/")
    ]
    found, left_out = made(tmp_path, *of_job)
    assert set(found) == {"job/job.json", "job/stack.json", "job/log.json"}
    missing = [
        f"job/{name}: Nothing is kept of an end of job one." for name in ("ended.json", "ended-log.jsonl")
    ]
    assert left_out == (missing if said else [])
