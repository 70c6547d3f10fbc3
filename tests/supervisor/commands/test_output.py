"""Whoever reads the output, or does not, and whatever a terminal can show: no traceback."""

import itertools
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands_support import supervisor

from supervisor import cli
from supervisor.cli import EXIT_NOT_WRITTEN
from tests.patience import PATIENCE_SECONDS

ECHO = ("--function-blocks", "blocks.echo")
PRINTING = {
    "version": ("--version",),
    "help": ("--help",),
    "help of a command": ("submit", "--help"),
    "blocks": ("blocks", *ECHO),
    "blocks as JSON": ("blocks", "--json", *ECHO),
    "check": ("check", "there.py"),
    "doctor": ("doctor", *ECHO),
    "doctor as JSON": ("doctor", "--json", *ECHO),
    "new-block": ("new-block", "acme/mine"),
    "host-keys": ("host-keys", "--state-dir", "state"),
    "journal": ("journal", "list", "--file", "empty.sqlite3"),
    "run-block": ("run-block", "echo", *ECHO, "--params", '{"text": "x"}'),
}
TEXT = "\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{SNOWMAN}"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "there.py").write_text(f"# {TEXT}\nx = 1\n")
    (tmp_path / "empty.sqlite3").write_bytes(b"")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.sqlite3").touch()
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "supervisor", *arguments]


@pytest.mark.parametrize("arguments", PRINTING.values(), ids=PRINTING)
def test_a_reader_that_has_gone_ends_any_command_without_a_word(
    arguments: tuple[str, ...], here: Path
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    try:
        done = subprocess.run(
            command(*arguments),
            cwd=here,
            stdin=subprocess.DEVNULL,
            stdout=writes,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    finally:
        os.close(writes)
    # argparse takes it for printed: the help was all that was asked for.
    assert done.returncode == (0 if "--help" in arguments else 141), done.stderr
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("--version",), ("completion", "bash")])
def test_output_that_can_not_be_written_is_one_message_and_an_exit_code_of_its_own(
    arguments: tuple[str, ...], unbuffered: str, here: Path
) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(*arguments),
            cwd=here,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert done.stderr == "supervisor: The output could not be written: No space left on device.\n"
    assert done.returncode == EXIT_NOT_WRITTEN


@pytest.mark.parametrize("name", ["status", "cancel"])
def test_ctrl_c_while_a_command_is_still_being_imported_ends_it_without_a_word(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.importlib, "import_module", interrupted)
    assert cli.main([name]) == 130
    assert capfd.readouterr() == ("", "")


def test_a_complaint_that_nobody_reads_is_no_traceback_either(here: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    try:
        done = subprocess.run(
            command("submit", "--nosuch"),
            cwd=here,
            stdout=subprocess.PIPE,
            stderr=writes,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    finally:
        os.close(writes)
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_closed_output_is_no_error(here: Path) -> None:
    script = 'exec "$@" >&- 2>&-'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *command("blocks", *ECHO)],
        cwd=here,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0


@pytest.mark.parametrize("encoding", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}], ids=str)
def test_what_a_locale_can_not_show_is_written_otherwise(encoding: dict[str, str]) -> None:
    params = f'{{"text": "{TEXT}"}}'
    done = supervisor("run-block", "echo", *ECHO, "--params", params, **encoding)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


ASCII = {"TERM": "xterm", "PYTHONIOENCODING": "ascii"}
COLOURLESS = {"NO_COLOR": "1", "TERM": "xterm"}
DUMB = {"TERM": "dumb"}


# What a command prints decides what ASCII can't show. Colours and escapes are left out by one class for all of them
# (`OutputConsole`): a table and a line that changes show it.
@pytest.mark.parametrize(
    ("name", "terminal"),
    [
        *((name, ASCII) for name in ("blocks", "check", "new-block")),
        *itertools.product(("doctor", "run-block"), (COLOURLESS, DUMB, ASCII)),
        ("blocks", COLOURLESS),
    ],
    ids=str,
)
def test_a_narrow_terminal_without_colours_is_written_to_without_colours(
    name: str, terminal: dict[str, str], here: Path
) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command(*PRINTING[name]),
        cwd=here,
        env=os.environ | {"COLUMNS": "40"} | terminal,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    try:
        while chunk := _read(master):
            shown += chunk
        assert process.wait(PATIENCE_SECONDS) in (0, 1)
    finally:
        process.kill()
        process.wait()
        os.close(master)
    assert b"Traceback" not in shown
    # Each cell of theirs is folded where the terminal ends; a dumb one is taken for 80 columns wide.
    if name in ("blocks", "doctor") and terminal["TERM"] != "dumb":
        assert max(len(line.rstrip()) for line in re.sub(rb"\x1b\[[0-9;]*m", b"", shown).splitlines()) <= 40
    assert "NO_COLOR" not in terminal or not re.search(rb"\x1b\[[0-9;]*3[0-7]m", shown)
    assert terminal["TERM"] != "dumb" or b"\x1b" not in shown


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that nobody has the terminal open any more
        return b""
