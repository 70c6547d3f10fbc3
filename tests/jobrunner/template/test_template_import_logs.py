"""What modules log while they are imported: as what it was logged, and no sign of life."""

from pathlib import Path

from hosting import hosted

from supervisor.log.events.blocks import ImportOutput
from tests.patience import wait_until

LOGS = """
import logging
logging.getLogger(__name__).warning("at import")
logging.getLogger("vendor.driver").error("in two\\nlines %s", "x" * 3)
logging.getLogger(__name__).error("%d wrong", "call")
logging.getLogger(__name__).info("not wanted")
print("printed")
"""
ENDLESS = """
import logging, time
while True:
    logging.getLogger(__name__).warning("on and on")
    time.sleep(0.1)
"""


def test_records_logged_at_import_keep_their_level_and_their_logger(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "chatty.py").write_text(LOGS)
    with hosted(tmp_path, sources=[str(sources / "chatty.py")]) as host:
        assert host.problems == []
        # What is printed is read beside the loop: the host may be ready before.
        wait_until(lambda: host.events(ImportOutput), "what was printed is told")
        (printed,) = host.events(ImportOutput)
        lines = host.lines_of("chatty", "vendor.driver")
    assert (printed["level"], printed["logger"], printed["message"]) == ("INFO", "template", "printed")
    logged = [(line["level"], line["logger"], line["message"]) for line in lines]
    assert logged[:2] == [
        ("WARNING", "chatty", "at import"),
        ("ERROR", "vendor.driver", "in two\nlines xxx"),
    ]
    ((level, logger, wrong),) = logged[2:]
    assert (level, logger) == ("ERROR", "chatty")
    assert wrong.startswith("A call to the log is wrong")
    assert 'chatty.py", line 5, in <module>' in wrong


def test_a_module_that_logs_without_end_hangs_all_the_same(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "endless.py").write_text(ENDLESS)
    with hosted(tmp_path, sources=[str(sources / "endless.py")], import_seconds=0.6) as host:
        (problem,) = host.problems
    assert (problem["module"].split(".")[-1], problem["kind"]) == ("endless", "hang")
