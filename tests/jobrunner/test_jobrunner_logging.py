"""What an author logs: with which fields, from which level on, and all of it, even when the child is killed."""

import json
from typing import Any

from hosting import Host


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
