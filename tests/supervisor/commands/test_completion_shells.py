"""The scripts for zsh and fish, loaded by these shells themselves, which are asked for a completion."""

import contextlib
import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.commands.completion.flags import all_commands
from supervisor.commands.completion.scripts import SHELLS
from tests.patience import PATIENCE_SECONDS


def needs(shell: str) -> str:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    return shell


def script_for(shell: str, directory: Path) -> Path:
    file = directory / f"supervisor.{shell}"
    file.write_text(SHELLS[shell](tuple(all_commands())))
    return file


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_finds_no_fault_in_its_script(shell: str, tmp_path: Path) -> None:
    script = script_for(needs(shell), tmp_path)
    done = subprocess.run(
        [shell, "-n", script], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("supervisor st", {"stack", "status"}),
        ("supervisor status --st", {"--state-dir"}),
        ("supervisor --isolation ", {"kernel", "off"}),
        ("supervisor --engine-u", {"--engine-url"}),
    ],
)
def test_fish_completes_commands_flags_and_values(typed: str, wanted: set[str], tmp_path: Path) -> None:
    script = script_for(needs("fish"), tmp_path)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script}; complete -C '{typed}'"],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    offered = {line.partition("\t")[0] for line in done.stdout.splitlines()}
    assert {each for each in offered if each.startswith(tuple(wanted))} == wanted


class Terminal:
    """A zsh without settings of its own, at a terminal."""

    def __init__(self, directory: Path) -> None:
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.environ.update(TERM="dumb", HOME=str(directory), COLUMNS="200")
            os.chdir(directory)
            os.execvp("zsh", ["zsh", "-f", "-i"])

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def wait_for(self, *texts: str) -> str:
        """Return what was printed, once all of it is there."""
        shown, end = "", time.monotonic() + PATIENCE_SECONDS
        while not all(text in shown for text in texts):
            assert time.monotonic() < end, f"no {texts} in {shown!r}"
            if select.select([self._terminal], [], [], 1)[0]:
                shown += os.read(self._terminal, 65536).decode(errors="replace")
        return shown

    def close(self) -> None:
        os.close(self._terminal)  # which hangs up
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


@pytest.fixture
def zsh(tmp_path: Path) -> Iterator[Terminal]:
    script = script_for(needs("zsh"), tmp_path)
    terminal = Terminal(tmp_path)
    try:
        terminal.type(f"autoload -Uz compinit && compinit -u -D; source {script}; print is''-loaded\n")
        terminal.wait_for("is-loaded")
        yield terminal
    finally:
        terminal.close()


def test_zsh_completes_commands_flags_and_values(zsh: Terminal) -> None:
    zsh.type("supervisor status --st\t")
    zsh.wait_for("supervisor status --state-dir")
    zsh.type("\x15supervisor --engine-u\t")
    zsh.wait_for("supervisor --engine-url")
    zsh.type("\x15supervisor --isolation \t\t")
    zsh.wait_for("kernel", "off")
    zsh.type("\x15supervisor st\t\t")
    zsh.wait_for("stack", "status")
