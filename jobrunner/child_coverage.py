"""Measures which lines of a block run, for tests that are measured themselves (`sdk.testing.child_coverage`)."""

import contextlib
import importlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from jobrunner.protocol.coverage import COVERAGE_VARIABLE

_SAVE_SECONDS: Final = 0.1
"""How often the data is saved: the last moments of a killed child are lost."""


def prepare_measuring() -> None:
    """Import the coverage library in the template, if tests ask for it, so that no child has to."""
    if COVERAGE_VARIABLE in os.environ:
        with contextlib.suppress(ImportError):
            importlib.import_module("coverage")


@contextlib.contextmanager
def measured() -> Iterator[bool]:
    """Measure in the `with` block, if tests ask for it, and yield whether they do. The block does not see this.

    A child ends by `os._exit` or by a signal, so nothing saves the data by itself. A thread saves it from time to time,
    for children that are killed or crash. A block could notice only this thread, and only in tests.
    """
    asked = os.environ.pop(COVERAGE_VARIABLE, None)
    coverage = _started(json.loads(asked)) if asked is not None else None
    if coverage is None:
        yield False
        return
    over = threading.Event()
    saver = threading.Thread(target=_save_now_and_then, args=(coverage, over), name="coverage", daemon=True)
    saver.start()
    try:
        yield True
    finally:
        over.set()
        saver.join()
        coverage.stop()
        coverage.save()


def _save_now_and_then(coverage: Any, over: threading.Event) -> None:
    while not over.wait(_SAVE_SECONDS):
        coverage.save()


def _started(asked: dict[str, Any]) -> Any:
    try:
        module = importlib.import_module("coverage")
    except ImportError:
        return None
    here = Path.cwd()
    # Paths in its configuration and in its data may be relative to where the tests were started.
    with contextlib.suppress(OSError):
        os.chdir(asked["started_in"])
    try:
        coverage = module.Coverage(
            data_file=os.path.join(asked["directory"], "data"), data_suffix=True, **asked["options"]
        )
        coverage.start()
    finally:
        os.chdir(here)
    return coverage
