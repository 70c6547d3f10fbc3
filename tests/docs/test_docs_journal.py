"""The filters that the pages show for the service's log find the worker's lines among those of others."""

import json
import re
import shlex
import shutil
import subprocess

import pytest
from docs_pages import all_pages, blocks_of

from tests.patience import PATIENCE_SECONDS

_FILTER = re.compile(r"^(?:\$ )?journalctl [^|]*\| jq (.*)$", re.MULTILINE)

FILTERS = [
    found for page in all_pages() for block in blocks_of(page) for found in _FILTER.findall(block.text)
]

OF_OTHERS = """\
Starting neops-supervisor.service - neops worker: runs function blocks, each job in a process of its own...
supervisor: the worker was ended by SIGKILL; what it had started is ended, too.
137
"neops"
"""
OF_THE_WORKER = {"level": "ERROR", "event": "job_ended", "cause": "time_limit", "job": "0d6f…"}


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed here")
@pytest.mark.parametrize("words", FILTERS)
def test_a_line_of_systemd_or_of_the_keeper_does_not_end_a_filter_for_events(words: str) -> None:
    log = OF_OTHERS + json.dumps(OF_THE_WORKER) + "\n" + OF_OTHERS + json.dumps({"event": "other"}) + "\n"
    done = subprocess.run(
        ["jq", "-c", *shlex.split(words)],
        input=log,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [OF_THE_WORKER]


def test_there_are_filters_to_look_at() -> None:
    assert len(FILTERS) == 3
