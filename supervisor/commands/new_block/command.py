"""`supervisor new-block`: writes a working block with its tests."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Final

from rich.markup import escape

from supervisor.commands.new_block.names import DEFAULT_PACKAGE, BadNameError, Names, names_of
from supervisor.commands.new_block.writer import (
    WriteError,
    Written,
    finds_tests_in_every_module,
    write_block,
)
from supervisor.commands.shared.common import EXIT_USAGE
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.settings.command_parser import CommandParser

PROGRAM: Final = "supervisor new-block"
_EXAMPLE: Final = {"output": "Version 15.9\nlab1 is up", "include": "Version"}


def run(arguments: list[str]) -> int:
    """Write the block and say what to do next. Returns 0, or 2 if it can't be written as asked."""
    options = _parser().parse_args(arguments)
    directory = Path(options.directory)
    try:
        names = names_of(options.name, options.package)
        written = write_block(names, directory, reversible=options.reversible)
    except (BadNameError, WriteError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return EXIT_USAGE
    if options.json:
        print_json(_as_json(names, written), indent=None)
    else:
        _print(names, written, asked=options.name)
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=PROGRAM,
        description="Write a module with a working function block and its tests, to start from.",
        epilog="Example: supervisor new-block acme/show_version:1.0.0 --directory my_blocks",
    )
    parser.add_argument("name", help="the block: `show_version`, or `acme/show_version:1.0.0`")
    parser.add_argument("--directory", default=".", help="where to write it (default: here)")
    parser.add_argument("--package", help=f"the package, if the name has none (default: {DEFAULT_PACKAGE})")
    parser.add_argument("--reversible", action="store_true", help="write a rollback too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def next_commands(names: Names, written: Written) -> list[str]:
    """Return the commands that an author types next: test it, check it, run it."""
    module = shlex.quote(os.path.relpath(written.module))
    params = shlex.quote(json.dumps(_EXAMPLE))
    return [
        f"pytest {module}",
        f"supervisor check {module}",
        f"supervisor run-block {names.name} --function-blocks {module} --params {params}",
    ]


def _as_json(names: Names, written: Written) -> dict[str, object]:
    return {
        "block": names.block_id,
        "module": str(written.module),
        "pytest_config": str(written.pytest_config),
        "next": next_commands(names, written),
    }


def _print(names: Names, written: Written, *, asked: str) -> None:
    console = OutputConsole(soft_wrap=True)
    console.print(f"Wrote [bold]{escape(str(written.module))}[/] with the block {names.block_id}.")
    if "-" in asked:
        console.print("A hyphen became '_': neither Python nor every engine takes it in a name.")
    if written.pytest_ini is not None:
        console.print(
            f"Wrote {escape(str(written.pytest_ini))}, so that pytest looks for tests in every module."
        )
    elif not finds_tests_in_every_module(written.pytest_config):
        value = '["*.py"]' if written.pytest_config.suffix == ".toml" else "*.py"
        setting = escape(f"python_files = {value} in {written.pytest_config}")
        console.print(f"To have `pytest` alone find its tests, set {setting}.")
    console.print("\nNext:")
    for command in next_commands(names, written):
        console.print(f"  [cyan]{escape(command)}[/]")
