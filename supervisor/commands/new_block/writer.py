"""Writes a new block: the module from its template, and the configuration by which pytest finds its tests."""

import configparser
import importlib.util
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final

from supervisor.commands.new_block.names import Names
from supervisor.errors import SupervisorError

_PYTEST_INI: Final = "[pytest]\n# The tests of a block stand in its own module.\npython_files = *.py\n"
_ASYNCIO: Final = """\
# Tests and fixtures may be `async def` without a marker.
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""
"""For pytest-asyncio: without it, pytest would warn about settings that it does not know. Without the last one, some
versions of it begin each run with a warning."""

_FOR_PYTEST_ALONE: Final = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
_CONFIGS: Final = (*_FOR_PYTEST_ALONE, "pyproject.toml", "tox.ini", "setup.cfg")
"""The files that pytest looks for in each directory, in its order. The first one with a configuration is used."""

_SECTIONS: Final = {
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}


class WriteError(SupervisorError):
    """The new block can't be written there. The message names the place and says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """The written files. `pytest_ini` is `None` if there was a `pytest_config` already."""

    module: Path
    pytest_ini: Path | None
    pytest_config: Path


def module_text(names: Names, *, reversible: bool) -> str:
    """Return the new module's source."""
    values = {
        "title": names.title,
        "class_name": names.class_name,
        "package": names.package,
        "name": names.name,
        "version": repr(names.version),
        "rollback_import": "    FunctionBlockRollbackResult,\n" if reversible else "",
        "reversible": "        reversible=True,\n" if reversible else "",
    }
    values["rollback"] = _template("rollback").substitute(values) if reversible else ""
    return _template("block").substitute(values).rstrip("\n") + "\n"


def _template(name: str) -> Template:
    file = resources.files("supervisor.commands.new_block") / f"{name}.py.template"
    return Template(file.read_text(encoding="utf-8"))


def write_block(names: Names, directory: Path, *, reversible: bool) -> Written:
    """Write the module, and a `pytest.ini` if pytest has no configuration there. Raises `WriteError`.

    It changes no existing file.
    """
    module = directory / f"{names.name}.py"
    try:
        if (directory / names.name).is_dir():
            raise WriteError(
                f"{directory / names.name} is a directory, and {module.name} would be a module of the same name. "
                "Choose another name, or another --directory."
            )
        directory.mkdir(parents=True, exist_ok=True)
        # Mode "x": an author's file must never be overwritten.
        with module.open("x", encoding="utf-8") as file:
            file.write(module_text(names, reversible=reversible))
        config = pytest_config_above(directory)
        if config is not None:
            return Written(module, None, config)
        ini = directory / "pytest.ini"
        has_asyncio = importlib.util.find_spec("pytest_asyncio") is not None
        ini.write_text(_PYTEST_INI + (_ASYNCIO if has_asyncio else ""), encoding="utf-8")
    except FileExistsError as error:
        place = error.filename or module
        raise WriteError(
            f"{place} is there already, and was left as it is. Choose another name, or another --directory."
        ) from error
    except OSError as error:
        raise WriteError(
            f"{error.filename or module} can't be written: {error.strerror}. Give another --directory."
        ) from error
    return Written(module, ini, ini)


def pytest_config_above(directory: Path) -> Path | None:
    """Return the file with pytest's configuration for `directory`, or `None`."""
    for folder in (directory.resolve(), *directory.resolve().parents):
        for name in _CONFIGS:
            file = folder / name
            if file.is_file() and _configures_pytest(file):
                return file
    return None


def _configures_pytest(file: Path) -> bool:
    if file.name in _FOR_PYTEST_ALONE:
        return True  # even an empty one
    try:
        text = file.read_text(encoding="utf-8")
        if file.name == "pyproject.toml":
            # Options are in `ini_options`, or since pytest 9 in the table itself.
            return len(tomllib.loads(text).get("tool", {}).get("pytest", {})) > 0
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(text)
    except (OSError, ValueError, AttributeError, TypeError, configparser.Error):
        return False
    return parser.has_section(_SECTIONS[file.name])


def finds_tests_in_every_module(config: Path) -> bool:
    """Whether a pytest configuration says that all modules have tests (`python_files = *.py`).

    It is searched as text: only a hint depends on it.
    """
    try:
        lines = config.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return any(
        line.lstrip().startswith("python_files") and "*.py" in line.split("=", 1)[-1] for line in lines
    )
