"""The page on migration, held against the code: each name, each setting."""

import importlib
import re

import pytest

from sdk.compat.finder import install_alias
from supervisor.legacy_environment import LEGACY_NAMES
from supervisor.settings import DaemonSettings
from tests.compat.processes import ROOT

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


def test_each_setting_of_the_page_exists() -> None:
    known = DaemonSettings.model_fields
    assert [setting for setting in SETTINGS.values() if setting.replace("-", "_") not in known] == []
