"""What an author logs: with which fields, from which level on, and all of it, even when the child is killed."""

import json
from pathlib import Path
from typing import Any

import pytest
from hosting import Host, hosted

INVENTORY = """
import logging
from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResultData, Registration, register_function_block,
)
log = logging.getLogger(__name__)
logging.getLogger("a.chatty.dependency").disabled = True
@register_function_block(Registration(
    package="lab", name="inventory", description="Logs, and raises", run_on="global", fb_type="execute",
    param_cls=FunctionBlockParams, result_cls=FunctionBlockResultData,
))
class Inventory(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    async def run(self, params, context):
        self.logger.info("of the block")
        log.info("of its module")
        logging.getLogger("a.chatty.dependency").error("of a library that its author has silenced")
        raise KeyError("lost")
"""
SILENCES = {
    "dictConfig": "import logging.config\nlogging.config.dictConfig({'version': 1, 'root': {'level': 'INFO'}})\n",
    "fileConfig": """
import io
import logging.config
logging.config.fileConfig(io.StringIO(
    "[loggers]\\nkeys=root\\n[handlers]\\nkeys=\\n[formatters]\\nkeys=\\n[logger_root]\\nhandlers=\\n"
))
""",
    "disable": "import logging\nlogging.disable(logging.CRITICAL)\n",
    "dictConfig_and_fails": "import logging.config\nlogging.config.dictConfig({'version': 1})\nraise OSError\n",
}


def lines_of(done: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
    return [line for line in done["lines"] if wanted.items() <= line.items()]


def test_nothing_that_was_logged_or_printed_before_a_kill_is_lost(host: Host) -> None:
    done = host.run("telling/logs_and_dies", {"count": 900})
    assert (done["cause"], done["signal"]) == ("crashed", "SIGKILL")
    logged = [line["text"] for line in lines_of(done, stream=None)]
    printed = [line["text"] for line in lines_of(done, stream="stdout")]
    assert logged == [f"logged {number}" for number in range(900)]
    assert printed == [f"printed {number}" for number in range(900)]


def test_an_author_s_fields_arrive_beside_the_message_and_secret_ones_masked(host: Host) -> None:
    done = host.run("telling/fields")
    first, second, third = done["lines"]
    assert (first["text"], first["fields"]) == (
        "logged in",
        {"port": 22, "ok": True, "auth_token": "***", "odd": "{1}"},
    )
    assert (second["text"], second["fields"], second["level"]) == (
        "with context",
        {"hostname": "r1"},
        "WARNING",
    )
    assert third["fields"] == {}
    assert third["text"].startswith("it failed\nTraceback (most recent call last):\n")
    assert "in run" in third["text"]
    assert third["text"].endswith("KeyError: 'lost'")


def test_the_logger_of_a_block_is_bound_to_its_job_and_is_that_of_its_module(host: Host) -> None:
    done = host.run("telling/fields", step_label="step 2")
    bound = json.loads(done["body"])["data"]["value"]
    assert bound == {"job": done["lines"][0]["job"], "block": "telling/fields:1.0.0", "step": "step 2"}
    assert {(line["step"], line["origin"]) for line in done["lines"]} == {("step 2", "telling_blocks")}


def test_levels_can_be_set_for_single_loggers_and_all_below_them(host: Host) -> None:
    def seen(**limits: Any) -> set[str]:
        return {line["text"] for line in host.run("telling/levels", limits=limits)["lines"]}

    assert seen() == {"info of chatty.inner", "info of chattyother"}
    assert seen(log_levels=["chatty=warning"]) == {"info of chattyother"}
    assert seen(log_level="error", log_levels=["chatty.inner=debug"]) == {
        "debug of chatty.inner",
        "info of chatty.inner",
    }
    # An author knows the module by its file.
    assert seen(log_level="error", log_levels=["telling_blocks=debug"]) == {
        "debug of the block",
        "debug of its module",
    }


@pytest.mark.parametrize(
    ("how", "spawn"), [*((how, False) for how in SILENCES), ("dictConfig", True)], ids=str
)
def test_a_module_that_sets_logging_up_as_a_program_does_takes_no_line_of_others(
    tmp_path: Path, how: str, spawn: bool
) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "a_inventory.py").write_text(INVENTORY)
    (modules / "z_report.py").write_text(SILENCES[how])
    sources = [str(modules / name) for name in ("a_inventory.py", "z_report.py")]
    with hosted(tmp_path / "host", sources=sources, spawn=spawn) as host:
        done = host.run("lab/inventory")
    texts = [line["text"] for line in done["lines"]]
    assert texts[:2] == ["of the block", "of its module"]
    assert "Traceback (most recent call last):" in texts[2]
    assert len(texts) == 3
