"""The two versions, ready to run: each copy with an environment that its own set-up has made."""

import asyncio
import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supervisor.commands.demo.environment import program_environment
from tests.programs.bench.against.commands import run
from tests.programs.bench.errors import BenchError

_SET_UP_SECONDS: Final = 600.0
_COMMAND_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Version:
    """A copy of the code that is ready to run. `name` is what the table calls it."""

    name: str
    root: Path
    environment: Path
    """Where its packages are."""
    shares_environment: bool
    flags: tuple[str, ...] = ()
    """Further flags of its worker: what the other version need not know."""

    @property
    def command(self) -> Path:
        """The command line of this version's worker."""
        return self.environment / "bin" / "supervisor"

    def variables(self) -> dict[str, str]:
        """Return the environment variables for its programs: nothing in them leads to other code."""
        variables = {**_neutral_variables(), "PATH": f"{self.environment / 'bin'}{os.pathsep}{os.defpath}"}
        # The environment knows the one copy that made it; with a shared one, both are told where their code is.
        return {**variables, "PYTHONPATH": str(self.root)} if self.shares_environment else variables


async def set_up(names: tuple[str, str], roots: tuple[Path, Path], client: str) -> tuple[Version, Version]:
    """Make the environments of two copies by their own set-up, and see that what runs there is each copy's code.

    Where both ask for the same packages they share one. In two copies of a library its pages lie differently, which is
    chance, but the same in every pair: measured, it made up to 0.5 % of the memory.
    Raises `BenchError`, with what was said last, when an environment can't be made.
    """
    if _ingredients(names[0], roots[0]) == _ingredients(names[1], roots[1]):
        environment = await _environment_of(names[0], roots[0], client)
        versions = [Version(name, root, environment, True) for name, root in zip(names, roots, strict=True)]
    else:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(_environment_of(name, root, client))
                    for name, root in zip(names, roots, strict=True)
                ]
        except ExceptionGroup as errors:  # one of them says it all
            raise errors.exceptions[0] from None
        versions = [
            Version(name, root, task.result(), False)
            for name, root, task in zip(names, roots, tasks, strict=True)
        ]
    for version in versions:
        await _compile(version)
        await _check_origin(version)
    return versions[0], versions[1]


def _ingredients(name: str, root: Path) -> tuple[dict[str, bytes], list[object]]:
    """Return what an environment is made of: the packages, and how the project itself is installed among them."""
    project = root / "pyproject.toml"
    try:
        tables = tomllib.loads(project.read_text(encoding="utf-8")) if project.is_file() else {}
    except ValueError as error:  # no TOML, or no UTF-8
        raise BenchError(
            f"The version {name} does not build: its pyproject.toml is no TOML: {error}"
        ) from None
    tools = tables.get("tool")
    hatch = tools.get("hatch") if isinstance(tools, dict) else None
    installed = [tables.get("project"), tables.get("build-system"), hatch]
    files = [root / "deploy" / "bootstrap.sh", *sorted((root / "deploy" / "locks").glob("*"))]
    return {file.name: file.read_bytes() for file in files if file.is_file()}, installed


async def _environment_of(name: str, root: Path, client: str) -> Path:
    script = root / "deploy" / "bootstrap.sh"
    if not script.is_file():
        raise BenchError(f"The version {name} has no deploy/bootstrap.sh, so its environment can't be made.")
    python = str(getattr(sys, "_base_executable", sys.executable))
    arguments: list[str | Path] = ["sh", script, python, client, "sh", "-c", 'printf "\\n%s" "$VIRTUAL_ENV"']
    # Beside the copy, so that it is removed with it: pip leaves its directories behind when it is killed.
    temporary = root.with_name(f"{root.name}-temporary")
    temporary.mkdir()
    variables = {**_neutral_variables(), "TMPDIR": str(temporary)}
    done = await run(arguments, root, variables, _SET_UP_SECONDS)
    if done.code:
        raise BenchError(
            f"The version {name} does not build: its set-up ended with {done.code}.{done.last_words}"
        )
    return Path(done.output.decode().splitlines()[-1])


async def _compile(version: Version) -> None:
    """Compile the code of both anew and in the same way, whoever's set-up did it.

    The names that compiled code has for its files differ by how it was compiled, and so does its memory once loaded.
    """
    names = [path.parent.name for path in version.root.glob("*/__init__.py")]
    python = version.environment / "bin" / "python"
    command: list[str | Path] = [python, "-m", "compileall", "-qq", "-f", *sorted({*names} - {"tests"})]
    await run(command, version.root, version.variables(), _SET_UP_SECONDS)


async def _check_origin(version: Version) -> None:
    python = version.environment / "bin" / "python"
    program = "import supervisor, sdk; print(supervisor.__file__, sdk.__file__, sep=chr(10))"
    # Isolated from the current directory, as the installed command is.
    done = await run([python, "-P", "-c", program], Path("/"), version.variables(), _COMMAND_SECONDS)
    if done.code:
        raise BenchError(f"The version {version.name} can't be imported.{done.last_words}")
    for line in done.output.decode().splitlines():
        if not Path(line).is_relative_to(version.root):
            raise BenchError(f"The version {version.name} would run {line}, which is not its code.")


def _neutral_variables() -> dict[str, str]:
    """Return this process's variables without what would lead a program to this checkout's code or environment."""
    own = os.environ.get("VIRTUAL_ENV", "")
    kept = {
        name: value
        for name, value in program_environment(os.environ, "bench").items()
        if not name.startswith("PYTHON") and name != "VIRTUAL_ENV"
    }
    kept["PATH"] = os.pathsep.join(
        part for part in kept.get("PATH", os.defpath).split(os.pathsep) if not own or not part.startswith(own)
    )
    return kept
