"""The process that takes a change back on FRR: what it does where it counts as not started. In a shell."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sdk.connection.causes import Cause
from sdk.connection.changes.errors import TimerUnknownError
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.errors import CommandTimeoutError, fail
from sdk.connection.platforms.frr_timer import start
from tests.patience import PATIENCE_SECONDS, wait_until

INVERSE = (ConfigurationLine("no ntp server 192.0.2.7"),)
VTYSH = """#!/bin/sh
echo "$1" >>{home}/asked
[ "$1" = -f ] || { cat {home}/configuration; exit; }
[ "$2" = "$(dirname "$2")/before" ] || exit
[ -s {home}/restores_that_fail ] && sed -i 1d {home}/restores_that_fail || cp "$2" {home}/configuration
"""
ONE_TRY = ("-f", "-f", "-c")
# The process sleeps until its test says so; the line that waits for its number sleeps as it is.
SLEEP = """#!/bin/sh
[ "$1" = 0.1 ] && exec {sleep} 0.1
i=0
while ! [ -e {home}/over ] && [ $i -lt 6000 ]; do {sleep} 0.02; i=$((i+1)); done
"""


class Shell:
    """Takes lines as the shell of a login does. At the first line that begins with `lost_at` the session ends."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lost_at = "(none)"
        self.is_lost_before = False
        self.directory: Path | None = None
        self.pid = 0

    def send(self, line: str) -> str:
        is_lost = line.startswith(self.lost_at)
        said = "" if is_lost and self.is_lost_before else self.run(line)
        if "mktemp" in line:
            self.directory = Path(said.strip().strip(":").rpartition(":")[2])
        self.note_pid()
        if is_lost:
            raise fail(Cause.CONNECTION_LOST, "r1", what=f"the command {line[:7]!r}")
        return said

    def run(self, line: str) -> str:
        path = f"{self.home}/bin:{os.environ['PATH']}"
        return subprocess.run(
            ["/bin/sh", "-c", line],
            env={"PATH": path},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        ).stdout

    def note_pid(self) -> bool:
        with suppress(OSError, TypeError, ValueError):
            self.pid = self.pid or int((self.directory / "pid").read_text())  # type: ignore[operator]  # or none yet
        return self.pid != 0

    def let_it_end(self) -> list[str]:
        """Let the time of the process come, wait for its end, and return what it has asked vtysh for."""
        asked = self.home / "asked"
        asked.write_text("")
        (self.home / "over").touch()
        wait_until(lambda: not is_alive(self.pid), "the process has ended")
        return asked.read_text().split()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    (tmp_path / "bin").mkdir()
    for name, text in (("vtysh", VTYSH), ("sleep", SLEEP)):
        program = tmp_path / "bin" / name
        program.write_text(text.replace("{home}", str(tmp_path)).replace("{sleep}", "/bin/sleep"))
        program.chmod(0o700)
    (tmp_path / "configuration").write_text("!\nhostname r1\n")
    shell = Shell(tmp_path)
    yield shell
    (tmp_path / "over").touch()
    if shell.pid and is_alive(shell.pid):
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
    if shell.directory is not None:
        shell.run(f"rm -rf {shell.directory}")


def test_a_process_that_has_started_takes_the_change_back_and_leaves_nothing(shell: Shell) -> None:
    assert start(shell.send, 60, INVERSE) == str(shell.directory)
    assert shell.let_it_end() == [*ONE_TRY]
    assert shell.directory is not None
    assert not shell.directory.exists()


@pytest.mark.parametrize(("failing", "tries"), [(1, 2), (3, 4), (9, 4)])
def test_a_process_whose_restore_changed_nothing_tries_again_and_gives_up_at_last(
    shell: Shell, failing: int, tries: int
) -> None:
    assert start(shell.send, 60, INVERSE)
    (shell.home / "configuration").write_text("!\nhostname r1\nntp server 192.0.2.7\n")
    (shell.home / "restores_that_fail").write_text("once\n" * failing)
    assert shell.let_it_end() == [*ONE_TRY] * tries
    assert shell.directory is not None
    assert not shell.directory.exists()
    assert ("ntp" in (shell.home / "configuration").read_text()) is (failing > 3)


def test_a_process_looks_by_itself_whether_the_configuration_is_back(shell: Shell) -> None:
    missing = shell.home / "bin" / "cmp"  # as on a small system
    missing.write_text("#!/bin/sh\nexit 127\n")
    missing.chmod(0o700)
    assert start(shell.send, 60, INVERSE)
    assert shell.let_it_end() == [*ONE_TRY]


def test_a_process_that_counts_as_not_started_never_acts_and_leaves_nothing(shell: Shell) -> None:
    (shell.home / "configuration").write_text("")  # so that it would have nothing to give back
    assert start(shell.send, 60, INVERSE) is None
    assert shell.directory is not None
    assert not shell.directory.exists()
    assert shell.let_it_end() == []


@pytest.mark.parametrize("lost_at", ["( setsid", "i=0;", "rm -rf"])
def test_a_process_of_which_nobody_knows_is_told_with_its_time_and_with_the_line_that_stops_it(
    shell: Shell, lost_at: str
) -> None:
    shell.lost_at, shell.is_lost_before = lost_at, lost_at == "rm -rf"
    if shell.is_lost_before:
        (shell.home / "configuration").write_text("")
    with pytest.raises(TimerUnknownError, match=r"its process was started.* UTC at the latest") as unknown:
        start(shell.send, 60, INVERSE)
    stop = f"rm -rf {shell.directory}"
    assert str(unknown.value).endswith(f"stop it first: `{stop}`.")
    assert unknown.value.retryable is False
    wait_until(shell.note_pid, "the process has said its number")
    shell.run(stop)
    assert shell.let_it_end() == []


def test_a_session_that_ends_while_the_file_is_written_tells_nothing_of_what_is_in_it() -> None:
    sent: list[str] = []

    def send(line: str) -> str:
        sent.append(line)
        if line.startswith("printf") and any("inverse" in each for each in sent):
            raise fail(
                Cause.COMMAND_TIMEOUT, "r1", what=f"the command {line!r}", seconds=9, last_line=line[:100]
            )
        return "neops-timer:/tmp/neops-timer.abc:\n" if "mktemp" in line else ""

    with pytest.raises(
        CommandTimeoutError, match=r"command_timeout.*No line of the change was sent"
    ) as raised:
        start(send, 60, (ConfigurationLine("username ann password never-to-be-seen"),))
    encoded = sent[-1].split()[2]
    assert len(encoded) > 20
    assert encoded[:20] not in str(raised.value)
    assert (raised.value.last_line, raised.value.where) == (None, "r1")
    assert "/tmp/neops-timer.abc" in str(raised.value)
