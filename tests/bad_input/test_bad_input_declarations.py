"""Blocks that can't be run as they are written: named when they are found, with file, line and what to write."""

import re
from pathlib import Path
from typing import Any

import pytest

from sdk.testing import BlockNotFoundError, BlockRunner

HEAD = """
from abc import abstractmethod
from typing import Any
from sdk import *

class Params(FunctionBlockParams):
    pass

class Data(FunctionBlockResultData):
    pass

def bad(name, **changes):
    facts = dict(package="bad", name=name, description="", run_on="global", fb_type="execute",
                 param_cls=Params, result_cls=Data)
    return register_function_block(Registration(**(facts | changes)))

OK = FunctionBlockResult(success=True, message="ok")
"""

RUN = "    async def run(self, params, context): return OK\n"

REFUSED: dict[str, tuple[str, str]] = {
    "no_context": (
        "    async def run(self, params): return OK",
        "run(self, params) can't be called with params and context. "
        "Declare it as run(self, params, context) or run(self, params, context, meta).",
    ),
    "no_parameters": ("    async def run(self): return OK", "run(self) can't be called with params and"),
    "no_self": (
        "    async def run(params, context): return OK",
        "run(params, context) can't be called with params and context. Declare it as run(self, params",
    ),
    "too_many": (
        "    async def run(self, params, context, meta, more): return OK",
        "run(self, params, context, meta, more) can't be called with params and context.",
    ),
    "keyword_only": (
        "    async def run(self, params, context, *, dry): return OK",
        "run(self, params, context, *, dry) can't be called with params and context.",
    ),
    "generator": (
        "    def run(self, params, context): yield OK",
        "run is a generator, as there is a 'yield' in it. A job has one result: give it back with 'return'.",
    ),
    "async_generator": (
        "    async def run(self, params, context): yield OK",
        "run is a generator, as there is a 'yield' in it.",
    ),
    "classmethod": (
        "    @classmethod\n    async def run(cls, params, context): return OK",
        "run is a classmethod, and is called on an instance for each job. "
        "Write it as 'async def run(self, params, context)'.",
    ),
    "staticmethod": (
        "    @staticmethod\n    async def run(params, context): return OK",
        "run is a staticmethod, and is called on an instance",
    ),
    "property": (
        "    @property\n    def run(self): return OK",
        "run is a property, and is called on an instance",
    ),
    "attribute": ("    run = 5", "run is of type int, not a method. Write it as 'async def run(self, params"),
    "no_run": (
        "    pass",
        "it has no run. Define it in the class, indented: 'async def run(self, params, context)'.",
    ),
    "abstract_helper": (
        RUN + "    @abstractmethod\n    def help(self): ...",
        "it has no help. Define it.",
    ),
    "constructor": (
        RUN + "    def __init__(self, host, logger=None): super().__init__(logger)",
        "its constructor can't be called with a logger only. Leave __init__ out, or take logger=None",
    ),
    "acquire_without_params": (
        RUN + "    async def acquire(self): return None",
        "acquire(self) can't be called with params. Declare it as 'async def acquire(self, params)'.",
    ),
    "acquire_with_context": (
        RUN + "    async def acquire(self, params, context): return None",
        "acquire(self, params, context) can't be called with params.",
    ),
    "acquire_generator": (
        RUN + "    async def acquire(self, params): yield None",
        "acquire is a generator, as there is a 'yield' in it.",
    ),
    "rollback_without_context": (
        RUN + "    async def rollback(self, params): return None",
        "rollback(self, params) can't be called with params and context. "
        "Declare it as 'async def rollback(self, params, context)'.",
    ),
    "rollback_static": (
        RUN + "    @staticmethod\n    async def rollback(params, context): return None",
        "rollback is a staticmethod, and is called on an instance",
    ),
}

WRONG_ARGUMENTS = {
    "no_argument": ("", "Write @register_function_block(Registration(name=..., package=..., ...)) above"),
    "fields_without_registration": (
        "package='bad', name='x'",
        "Write @register_function_block(Registration(name=..., package=..., ...)) above",
    ),
    "misspelt_field": ("Registration(max_second=5)", "'max_second'. Write max_seconds."),
    "unknown_field": ("Registration(colour=5)", "'colour'. A Registration has name, description, package,"),
    "name_alone": ("'x'", "register_function_block: it needs a Registration, and got str. Write @register_"),
    "class_of_registration": (
        "Registration",
        "it needs a Registration, and got the class itself. Write @register_",
    ),
}
"""What stands between the decorator's parentheses, and what is said of it."""

ALLOWED = {
    "with_meta": "    async def run(self, params, context, meta): return OK",
    "with_option": "    async def run(self, params, context, dry=False): assert dry is False; return OK",
    "with_optional_meta": "    async def run(self, params, context, meta=None): assert meta; return OK",
    "with_args": "    async def run(self, *args, **kwargs): return OK",
    "plain": "    def run(self, params, context): return OK",
    "inherits": RUN + "    async def rollback(self, params, context, result_from_failed=None): return None",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, neops_block_server: Any) -> tuple[Path, str]:
    """A folder with one block a module, and what is said when one asks for a block that is not in it."""
    folder = tmp_path_factory.mktemp("declared")
    bodies = {name: body for name, (body, _) in REFUSED.items()} | ALLOWED
    for name, body in bodies.items():
        folder.joinpath(f"{name}.py").write_text(
            f"{HEAD}\n@bad({name!r})\nclass Block(FunctionBlock[Any, Any]):\n{body}\n", encoding="utf-8"
        )
    for name in ("twice_a", "twice_b"):
        folder.joinpath(f"{name}.py").write_text(
            f"{HEAD}\n@bad('twice')\nclass Block(FunctionBlock[Any, Any]):\n{RUN}\n", encoding="utf-8"
        )
    folder.joinpath("no_block.py").write_text(f"{HEAD}\n@bad('no_block')\nclass Block:\n{RUN}\n")
    folder.joinpath("bare.py").write_text(
        f"{HEAD}\n@register_function_block\nclass Block(FunctionBlock[Any, Any]):\n{RUN}\n", encoding="utf-8"
    )
    for name, (arguments, _) in WRONG_ARGUMENTS.items():
        folder.joinpath(f"{name}.py").write_text(
            f"{HEAD}\n@register_function_block({arguments})\nclass Block(FunctionBlock[Any, Any]):\n{RUN}\n",
            encoding="utf-8",
        )
    with pytest.raises(BlockNotFoundError) as caught:
        BlockRunner(neops_block_server).run("bad/not_there", source=folder)
    return folder, str(caught.value)


def line_about(found: tuple[Path, str], name: str) -> str:
    folder, text = found
    (line,) = [line.strip() for line in text.splitlines() if line.strip().startswith(f"{folder / name}.py:")]
    return line


def source_of(found: tuple[Path, str], name: str) -> list[str]:
    return found[0].joinpath(f"{name}.py").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", REFUSED)
def test_a_block_that_can_not_be_called_is_refused_with_its_line_and_what_to_write(
    found: tuple[Path, str], name: str
) -> None:
    line = line_about(found, name)
    folder, _ = found
    source = source_of(found, name)
    number = int(re.match(rf"{re.escape(str(folder / name))}\.py:(\d+):", line)[1])  # type: ignore[index]
    assert source[number - 1].startswith("@bad(")
    assert f"Block (bad/{name}:1.0.0): {REFUSED[name][1]}" in line


@pytest.mark.parametrize("name", ALLOWED)
def test_other_ways_to_write_it_are_fine(found: tuple[Path, str], name: str, neops_block_server: Any) -> None:
    folder, text = found
    assert f"{folder / name}.py" not in text
    assert BlockRunner(neops_block_server).run(f"bad/{name}", source=folder).message == "ok"


def test_of_two_blocks_with_one_id_the_second_is_refused_and_both_places_are_named(
    found: tuple[Path, str], neops_block_server: Any
) -> None:
    folder, _ = found
    line = line_about(found, "twice_b")
    assert "bad/twice:1.0.0 is registered already by" in line
    assert f"({folder / 'twice_a.py'}:" in line
    assert "Give one of the two another name or version." in line
    assert BlockRunner(neops_block_server).run("bad/twice", source=folder).message == "ok"


def test_a_class_that_is_no_block_is_refused(found: tuple[Path, str]) -> None:
    assert "it is not a FunctionBlock. Derive it from sdk.FunctionBlock." in line_about(found, "no_block")


def test_a_decorator_without_a_registration_is_refused_with_its_line(found: tuple[Path, str]) -> None:
    line = line_about(found, "bare")
    folder, _ = found
    number = source_of(found, "bare").index("@register_function_block")
    assert line.startswith(f"{folder / 'bare.py'}:{number + 1}:")
    assert "Block: it is decorated with register_function_block, but without a Registration. Write " in line


@pytest.mark.parametrize("name", WRONG_ARGUMENTS)
def test_wrong_arguments_of_a_declaration_are_told_with_their_line_and_what_to_write(
    found: tuple[Path, str], name: str
) -> None:
    line = line_about(found, name)
    folder, _ = found
    number = source_of(found, name).index(f"@register_function_block({WRONG_ARGUMENTS[name][0]})")
    assert line.startswith(f"{folder / name}.py:{number + 1}:")
    assert WRONG_ARGUMENTS[name][1] in re.sub(r" Did you mean '\w+'\?", "", line)  # since Python 3.13
