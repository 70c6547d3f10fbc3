"""Turns what an author types into the names of a new block. Pure, but it looks at installed packages."""

import keyword
import re
from dataclasses import dataclass
from typing import Final

from supervisor.commands.shared.module_names import owner_of
from supervisor.errors import SupervisorError

DEFAULT_PACKAGE: Final = "my_blocks"
_WANTED: Final = re.compile(r"(?:(?P<package>[^/:]*)/)?(?P<name>[^/:]*)(?::(?P<version>[^/:]*))?")
_PACKAGE: Final = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VERSION: Final = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?", re.ASCII)
_LONGEST_NAME_CHARS: Final = 100
"""A file name has at most 255 bytes, and the files of Python and pytest beside a module have longer names."""

IN_THE_TEMPLATE: Final = frozenset(
    {
        "AcquireParams",
        "Field",
        "FunctionBlock",
        "FunctionBlockAcquireResult",
        "FunctionBlockParams",
        "FunctionBlockResult",
        "FunctionBlockResultData",
        "FunctionBlockRollbackResult",
        "OUTPUT",
        "Registration",
        "WorkflowContext",
        "fb_test_case",
        "register_function_block",
    }
)
"""The names that every new module imports or defines besides its three classes."""


class BadNameError(SupervisorError):
    """A block can't have this name. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a new block. `name` is also the module's name."""

    package: str
    name: str
    version: tuple[int, int, int]

    @property
    def block_id(self) -> str:
        """The block's id in the engine."""
        return f"{self.package}/{self.name}:{'.'.join(map(str, self.version))}"

    @property
    def class_name(self) -> str:
        """The name in the form for a class: `show_version` is `ShowVersion`."""
        return _class_name(self.name)

    @property
    def title(self) -> str:
        """The name as the start of a sentence: `show_version` is `Show version`."""
        text = " ".join(filter(None, self.name.split("_")))
        return text[:1].upper() + text[1:]


def _class_name(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def names_of(wanted: str, package: str | None = None) -> Names:
    """Return the names for `wanted`: `show_version` or `acme/show_version:1.0.0`.

    A hyphen becomes `_`: Python and some engines do not accept a hyphen. `package` is used if `wanted` has none.
    Raises `BadNameError`.
    """
    match = _WANTED.fullmatch(wanted)
    if match is None:
        raise BadNameError(f"{wanted!r} is not the name of a block. {_ADVICE}")
    chosen = (match["package"] if match["package"] is not None else package) or DEFAULT_PACKAGE
    chosen = chosen.replace("-", "_")
    if not _PACKAGE.fullmatch(chosen):
        raise BadNameError(f"{chosen!r} can't be the package of a block. {_ADVICE}")
    _check_length("package", chosen)
    name = match["name"].replace("-", "_")
    _check_name(name)
    version = _VERSION.fullmatch(match["version"] if match["version"] is not None else "1.0.0")
    if version is None:
        raise BadNameError(f"{match['version']!r} is not a version. Give it as 1.0.0.")
    major, minor, patch = (int(part or 0) for part in version.groups())
    return Names(chosen, name, (major, minor, patch))


_ADVICE: Final = (
    "Begin with a letter; use letters, digits and '_', such as show_version or acme/show_version:1.0.0."
)


def _check_length(what: str, text: str) -> None:
    if len(text) > _LONGEST_NAME_CHARS:
        raise BadNameError(
            f"The {what} {text[:20]}… has {len(text)} characters, and may have {_LONGEST_NAME_CHARS}. "
            "Choose a shorter one."
        )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadNameError(f"{name!r} can't be the name of a block: it names a Python module too. {_ADVICE}")
    _check_length("name", name)
    instead = f"Choose another name, such as {name}_block."
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise BadNameError(f"{name!r} is a word of the Python language. {instead}")
    if name == "conftest" or name.startswith("test_"):
        raise BadNameError(
            f"{name}.py would be a file of tests, where the worker looks for no blocks. Choose another name."
        )
    taken = {_class_name(name) + ending for ending in ("", "Params", "Result")} & IN_THE_TEMPLATE
    if taken:
        raise BadNameError(
            f"A class of the block {name} would be called {min(taken)}, as what it imports. {instead}"
        )
    what = owner_of(name)
    if what:
        raise BadNameError(
            f"{name}.py would stand in front of {what} for everything that imports that. {instead}"
        )
