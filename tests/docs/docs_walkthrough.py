"""Doing what a page says, step by step, as its reader would.

``` ``python file=PATH ````  the block is written to PATH
``` ``console ````           each line `$ …` is run and must end with 0 (`exit=N`: the last one with N); the lines
                              below it must come in its output, in their order
``` ``console terminal=2 ```` a command that goes on in a terminal of its own; later blocks of that terminal without a
                              command show what it prints next, and `^C` ends it
``` ``console soon ````       a command shows this a moment later, and is run again until then: readers are slower than
                              this test
``` ``console needs="frr lab" ```` is left out where that can't be had (`tests/capabilities.py`).
Blocks in other languages, and those marked `shown`, are only looked at by readers.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from docs_pages import ROOT, Block, Step, blocks_of, pattern, steps_of
from docs_terminals import Terminal, run

from tests.capabilities import lacking
from tests.patience import PATIENCE_SECONDS, wait_until


class Walkthrough:
    """One page, done in one directory."""

    def __init__(self, page: Path, directory: Path, home: Path) -> None:
        self._page = page
        self._directory = directory
        self._terminals: dict[str, Terminal] = {}
        self._environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(home),
            "TERM": "xterm",
            # Where hypothesis is installed, each run of pytest imports it at its end, used or not: most of its time.
            "PYTEST_ADDOPTS": "-p no:hypothesispytest",
        }

    def play(self) -> int:
        """Do it all, and return how many commands were run."""
        commands = 0
        try:
            for block in blocks_of(self._page):
                if (needed := block.attributes.get("needs")) and lacking(needed):
                    continue
                if "file" in block.attributes:
                    self._write(block)
                elif block.language == "console" and "shown" not in block.attributes:
                    for step in steps_of(block):
                        commands += step.command is not None
                        self._do(step, block)
        finally:
            for terminal in self._terminals.values():
                terminal.close()
            if any((Path(self._environment["HOME"]) / ".local/state/neops-local/labs").glob("*/holder")):
                run(
                    "supervisor lab down", self._directory, self._environment
                )  # of a page that failed half-way
        return commands

    def _write(self, block: Block) -> None:
        path = self._directory / block.attributes["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def _do(self, step: Step, block: Block) -> None:
        number = block.attributes.get("terminal")
        if number is None:
            self._run(step, block)
            return
        if step.command is not None:
            self._terminals[number] = Terminal(step.command, self._directory, self._environment)
        terminal = self._terminals[number]
        for line in step.expected:
            if line.strip() == "^C":
                assert terminal.interrupt() == 0, self._told(block, f"ended badly: {terminal.text()}")
            elif line.strip() != "…":
                assert terminal.wait_for(pattern(line)), self._told(
                    block, f"`{terminal.command}` never printed {line!r}, but:\n{terminal.text()}"
                )

    def _run(self, step: Step, block: Block) -> None:
        assert step.command, self._told(block, "output without a command")
        command, expected = step.command, step.expected
        wanted = int(block.attributes.get("exit", 0))
        fault = ""

        def works() -> bool:
            nonlocal fault
            code, output = run(command, self._directory, self._environment)
            missing = _missing(expected, output)
            if code != wanted:
                fault = f"`{command}` ended with {code}:\n{output}"
            elif missing is not None:
                fault = f"`{command}` did not print {missing!r}, but:\n{output}"
            else:
                return True
            return False

        seconds = PATIENCE_SECONDS if "soon" in block.attributes else 0.0
        wait_until(works, lambda: self._told(block, fault), seconds)

    def _told(self, block: Block, what: str) -> str:
        return f"{self._page.relative_to(ROOT)}:{block.line}: {what}"


def _missing(expected: Sequence[str], output: str) -> str | None:
    """Return the first line of `expected` that does not come in the output, in their order."""
    rest = iter(output.splitlines())
    for line in expected:
        if line.strip() != "…" and not any(pattern(line).search(printed) for printed in rest):
            return line
    return None
