"""Whose code a file is: told by where it lies, whatever its folder is called."""

import json
import os
from pathlib import Path
from types import ModuleType

import pydantic
import pytest

import sdk.whose_code
import supervisor.watch.whose_code

ROOT = sdk.whose_code.ROOT
PYTHON = os.path.dirname(os.__file__)
BOTH = pytest.mark.parametrize("module", [sdk.whose_code, supervisor.watch.whose_code])


def test_there_is_one_definition_although_it_stands_in_two_packages() -> None:
    texts = {Path(module.__file__).read_text() for module in (sdk.whose_code, supervisor.watch.whose_code)}
    assert len(texts) == 1


@BOTH
@pytest.mark.parametrize(
    ("home", "file", "whose"),
    [
        ("/srv/blocks", "/srv/blocks/show.py", "AUTHOR"),
        ("/srv/blocks", "/srv/blocks/helpers/parse.py", "AUTHOR"),
        ("/srv/blocks", "/srv/lib/shared.py", "AUTHOR"),
        (None, "/srv/blocks/show.py", "AUTHOR"),
        (None, "/srv/sdk/show.py", "AUTHOR"),
        ("/srv/sdk", "/srv/sdk/concurrency/show.py", "AUTHOR"),
        (None, "/srv/jobrunner/job.py", "AUTHOR"),
        (None, "/srv/supervisor/watch/stack.py", "AUTHOR"),
        (None, "/srv/lib/python3.11/show.py", "AUTHOR"),
        (None, "/srv/multiprocess/show.py", "AUTHOR"),
        (None, f"{ROOT}/blocks/echo.py", "AUTHOR"),
        (None, f"{ROOT}-of-mine/sdk/show.py", "AUTHOR"),
        (None, f"{ROOT}/sdk/calls.py", "WORKER"),
        (None, f"{ROOT}/sdk/concurrency/parallel.py", "WORKER"),
        (None, f"{ROOT}/jobrunner/job.py", "WORKER"),
        (None, f"{ROOT}/supervisor/job/execution.py", "WORKER"),
        (ROOT, f"{ROOT}/jobrunner/job.py", "WORKER"),
        ("/srv/blocks", "/srv/blocks/.venv/lib/python3.11/site-packages/netmiko/base.py", "INSTALLED"),
        (None, "/usr/lib/python3/dist-packages/yaml/__init__.py", "INSTALLED"),
        (None, pytest.__file__, "INSTALLED"),
        (None, pydantic.__file__, "INSTALLED"),
        ("/v/site-packages/acme", "/v/site-packages/acme/show.py", "AUTHOR"),
        ("/v/site-packages/acme", "/v/site-packages/acme_more/show.py", "INSTALLED"),
        ("/v/site-packages", "/v/site-packages/show.py", "AUTHOR"),
        ("/v/site-packages", "/v/site-packages/netmiko/base.py", "INSTALLED"),
        (PYTHON + "/blocks", PYTHON + "/blocks/show.py", "AUTHOR"),
        (None, json.__file__, "PYTHON"),
        (None, "<string>", "PYTHON"),
        (None, "<frozen importlib._bootstrap>", "PYTHON"),
    ],
)
def test_whose_code_it_is_is_told_by_where_it_lies(
    module: ModuleType, home: str | None, file: str, whose: str
) -> None:
    assert module.whose(file, home).name == whose


@BOTH
def test_a_home_that_is_a_link_or_no_ascii_is_known_as_a_stack_names_it(
    module: ModuleType, tmp_path: Path
) -> None:
    home = tmp_path / "site-packages" / "blöcke"
    home.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(home)
    for file in (link / "show.py", home / "show.py"):
        assert module.whose(str(file), str(link)).name == "AUTHOR"
    # faulthandler escapes what is no ASCII.
    assert module.whose(str(home / "show.py").replace("ö", "\\xf6"), str(link)).name == "AUTHOR"
