"""A shell completes what the parsers read, and the manual page has it."""

import subprocess
from pathlib import Path

import pytest

from docs.tools.man_page import render_man_page
from supervisor.cli import COMMANDS
from supervisor.commands.completion.flags import all_commands
from supervisor.commands.completion.scripts import SHELLS, bash
from tests.patience import PATIENCE_SECONDS

_ASK = """
COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _supervisor; printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("completion") / "supervisor.bash"
    file.write_text(bash(tuple(all_commands())) + _ASK)
    return file


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["st"], {"stack", "status"}),
        (["status", "--st"], {"--state-dir"}),
        (["--isolation", ""], {"kernel", "off"}),
        (["--on-stall", "k"], {"kill"}),
        (["job", "--js"], {"--json"}),
        (["--engine-u"], {"--engine-url"}),
    ],
)
def test_bash_completes_commands_flags_and_values(script: Path, words: list[str], wanted: set[str]) -> None:
    done = subprocess.run(
        ["bash", str(script), "supervisor", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert set(done.stdout.split()) == wanted


def test_each_shell_s_script_and_the_manual_page_have_each_command() -> None:
    commands = tuple(all_commands())
    texts = [render(commands) for render in SHELLS.values()]
    manual = render_man_page().replace("\\-", "-")
    for name in COMMANDS:
        assert all(name in text for text in texts)
        assert f"supervisor {name}\\fR" in manual
    for flag in {name for each in commands for known in each.flags for name in known.names}:
        assert flag in texts[0]
        assert flag in manual
