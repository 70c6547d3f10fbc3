"""What authors import is described for them: every name and method, its units, its errors, its cancellation.

Read from the source, as the API reference is (`docs/tools`): what is checked is what an author will read.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import griffe
import pytest

from docs.tools.pages import PAGES

ROOT = Path(__file__).parents[2]

MODULES = sorted({page.module for page in PAGES} - {"sdk.devengine"})
"""The engine for one machine is for tests and demos: its options have units in their names."""

UNITS = re.compile(r"second|monotonic|MiB|MB|KiB|byte|percent|number|index|count", re.IGNORECASE)
NAMED_UNITS = re.compile(
    r"_(seconds|mb|kib|bytes|at|id)$|^(id|level|line|exit_code|permission)$|processes$|index$|counts?$|version$"
)
NUMBERS = re.compile(r"\b(int|float|Number)\b")


@dataclass(frozen=True)
class Public:
    """One thing that an author may use."""

    path: str
    found: griffe.Object
    docstring: str
    """Its own, and that of the class it is in: what is said there need not be said again."""


def public_things() -> Iterator[Public]:
    loader = griffe.GriffeLoader(search_paths=[ROOT])
    for name in MODULES:
        module = loader.load(name)
        loader.resolve_aliases(external=False)
        for exported in map(str, module.exports or ()):
            found = module[exported.strip("'\"")]
            target = found.final_target if found.is_alias else found
            yield Public(target.path, target, _text(target))
            if target.is_class:
                yield from _members(target)


def _members(owner: griffe.Object) -> Iterator[Public]:
    for member in owner.members.values():
        if member.is_alias or member.name.startswith("_") or member.name == "model_config":
            continue
        if {"validator", "serializer"} & {word for each in _decorators(member) for word in each.split("_")}:
            continue
        yield Public(member.path, member, f"{_text(member)}\n{_text(owner)}")


def _decorators(member: griffe.Object) -> list[str]:
    return [str(each.callable_path).rpartition(".")[2] for each in getattr(member, "decorators", ())]


def _text(found: griffe.Object | griffe.Alias) -> str:
    return found.docstring.value if found.docstring else ""


@cache
def all_things() -> list[Public]:
    """All of them. Not read when this module is imported, as each parallel worker does: it takes seconds."""
    return list(public_things())


def things(kind: type[griffe.Object]) -> list[Public]:
    return [thing for thing in all_things() if isinstance(thing.found, kind)]


def test_every_name_class_and_method_says_what_it_is_for_in_whole_sentences() -> None:
    silent = [
        thing.path
        for thing in all_things()
        if not isinstance(thing.found, griffe.Attribute) or "property" in thing.found.labels
        if not re.search(r"[.:]\n|[.:]$", _text(thing.found).strip() + "\n")
    ]
    assert silent == []


def test_every_number_has_its_unit_in_its_name_or_its_description() -> None:
    numbers = [
        (thing, thing.found.name)
        for thing in things(griffe.Attribute)
        if NUMBERS.search(str(thing.found.annotation))
    ]
    numbers += [
        (thing, parameter.name)
        for thing in things(griffe.Function)
        for parameter in thing.found.parameters
        if NUMBERS.search(str(parameter.annotation))
    ]
    bare = [
        f"{thing.path}: {name}"
        for thing, name in numbers
        if not NAMED_UNITS.search(name) and not says_unit_of(thing, name)
    ]
    assert bare == []


def says_unit_of(thing: Public, name: str) -> bool:
    own = isinstance(thing.found, griffe.Attribute) and UNITS.search(_text(thing.found)) is not None
    return own or (name in thing.docstring and UNITS.search(thing.docstring) is not None)


def raised_in(function: griffe.Function) -> set[str]:
    """The names of the errors that a function raises itself."""
    lines = (ROOT / function.relative_filepath).read_text(encoding="utf-8").splitlines()
    for node in ast.walk(ast.parse("\n".join(lines))):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function.name
        if is_function and (function.lineno or 0) <= node.lineno <= (function.endlineno or 0):
            return {
                each.exc.func.id
                for each in ast.walk(node)
                if isinstance(each, ast.Raise)
                and isinstance(each.exc, ast.Call)
                and isinstance(each.exc.func, ast.Name)
                # A function in small letters makes an error: the docstring names what comes out of it.
                and not each.exc.func.id.islower()
            }
    raise LookupError(function.path)


def test_every_error_that_is_raised_is_named() -> None:
    unnamed = [
        f"{thing.path}: {error}"
        for thing in things(griffe.Function)
        for error in sorted(raised_in(thing.found))
        if error not in thing.docstring
    ]
    assert unnamed == []


def test_lazy_loading_is_hidden_from_type_checkers() -> None:
    """To them a module-level `__getattr__` says that the module has any name, misspelt ones too."""
    lazy = [ROOT / f"{module.replace('.', '/')}/__init__.py" for module in MODULES]
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in lazy if path.exists()}
    assert [path for path, text in texts.items() if "\ndef __getattr__" in text] == [], (
        "put it below `if not TYPE_CHECKING:`"
    )
    assert sum("def __getattr__" in text for text in texts.values()) >= 2


def test_everything_async_says_what_a_cancellation_does() -> None:
    silent = [
        thing.path
        for thing in things(griffe.Function)
        if "async" in thing.found.labels and "cancel" not in _text(thing.found).lower()
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("kind", "least"), [(griffe.Class, 20), (griffe.Function, 10), (griffe.Attribute, 60)]
)
def test_what_is_looked_at_is_all_there_is(kind: type[griffe.Object], least: int) -> None:
    assert len(things(kind)) >= least
