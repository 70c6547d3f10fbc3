"""What goes wrong beside `run`: one event at ERROR each, with the author's line, and nothing on stderr."""

import json
from collections import Counter

import pytest
from hosting import Host

from supervisor.log.format import JOB_LOG

TOLD = {
    "log call": ["A call to the log is wrong", "TypeError", "self.logger.info(*wrong)"],
    "field": ["A call to the log is wrong", "ValueError: no text", 'self.logger.info("fine"'],
    "thread": ["The thread poller ended", "KeyError: 'lost'", "in fails"],
    "task": ["Task exception was never retrieved", "KeyError: 'lost'", "in fails", "in poll"],
}


@pytest.mark.parametrize("mishap", TOLD)
def test_what_goes_wrong_beside_a_block_is_one_event_at_error_with_the_author_s_line(
    host: Host, mishap: str
) -> None:
    done = host.run("under_test/mishaps", {"text": mishap})
    assert done["success"], done["message"]
    (line,) = done["lines"]
    assert (line["event"], line["level"], line["stream"]) == (JOB_LOG, "ERROR", None)
    assert 'mishap_blocks.py", line ' in line["text"]
    assert [part for part in TOLD[mishap] if part not in line["text"]] == []
    assert not any(part in line["text"] for part in ("/jobrunner/", "/threading.py", "/logging/"))


def test_a_signal_s_handler_may_log_while_the_block_logs(host: Host) -> None:
    done = host.run("under_test/logs_in_a_handler")
    assert done["success"], done["message"]
    ticks = json.loads(done["body"])["data"]["value"]
    texts = Counter(line["text"] for line in done["lines"])
    assert (texts["line"], texts["tick"]) == (500, ticks)
