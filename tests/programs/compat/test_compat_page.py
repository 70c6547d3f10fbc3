"""The page on migration, held against the code: each name, each setting."""

import importlib
import re

import pytest

from sdk.compat.finder import install_alias
from sdk.compat.migration_hints import NotCoveredError, published_names
from supervisor.settings.legacy_environment import LEGACY_NAMES
from supervisor.settings.run_settings import DaemonSettings
from tests.programs.compat.processes import ROOT

PAGE = (ROOT / "docs" / "how-to" / "migrate-from-neops-worker-sdk.md").read_text(encoding="utf-8")
NAMES = re.findall(r"^\| `(neops_[\w.]+)` \| `(sdk[\w.]*)` \|$", PAGE, flags=re.MULTILINE)
SETTINGS = dict(re.findall(r"^\| `([A-Z_]+)` \| `--([a-z-]+)` \|$", PAGE, flags=re.MULTILINE))

install_alias()


def named(dotted: str) -> object:
    """What a dotted name stands for."""
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("theirs", "ours"), NAMES)
def test_both_names_of_a_row_are_there(theirs: str, ours: str) -> None:
    assert named(theirs) is not None
    assert named(ours) is not None


def test_the_page_has_a_row_for_all_that_a_block_imports_most() -> None:
    listed = {ours.rpartition(".")[2] for _, ours in NAMES}
    assert listed >= set(importlib.import_module("sdk").__all__) - {"EntityReference", "JobMeta", "SdkError"}


def test_each_old_variable_has_its_row_with_the_setting_that_reads_it() -> None:
    assert {name: setting.replace("-", "_") for name, setting in SETTINGS.items()} == LEGACY_NAMES


def test_each_published_name_that_the_alias_lacks_is_said_to_be_not_covered() -> None:
    section = PAGE.partition("## What is not covered")[2]
    named_there = set(re.findall(r"`([\w.]+)`", section))
    for name in sorted(published_names()):
        module, _, last = f"neops_worker_sdk.{name}".rpartition(".")
        try:
            if not hasattr(importlib.import_module(module), last):
                importlib.import_module(f"{module}.{last}")
        except NotCoveredError:
            parts = name.split(".")
            above = {".".join(parts[: end + 1]) for end in range(len(parts))} | {last}
            assert above & named_there, name
        except ImportError as error:
            # It needs a library that the package brings along, which the section lists.
            if not any(library in str(error) for library in named_there):
                raise


def test_each_setting_of_the_page_exists() -> None:
    known = DaemonSettings.model_fields
    assert [setting for setting in SETTINGS.values() if setting.replace("-", "_") not in known] == []
