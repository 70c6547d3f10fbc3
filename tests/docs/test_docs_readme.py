"""README is short, and says nothing that no test holds."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from docs_pages import ROOT, blocks_of, steps_of

README = ROOT / "README.md"
MOST_WORDS = 700
MOST_DEMO_SECONDS = 120

DEMO = "tests/supervisor/commands/demo/test_demo_run.py"
MISBEHAVING = "tests/jobrunner/test_jobrunner_misbehaving.py"

CLAIMS = {
    "!Jobs of a worker": (  # the picture
        "tests/programs/top_picture/test_top_picture.py::test_the_picture_has_the_columns_of_today"
    ),
    "While a worker runs, supervisor top shows its jobs:": (
        "tests/contract/test_contract_live.py"
        "::test_top_shows_the_job_and_its_process_once_as_json_and_as_text"
    ),
    "The worker runs each job in a process of its own.": (
        "tests/jobrunner/test_jobrunner_isolation.py::test_a_job_sees_nothing_of_what_the_last_one_left"
    ),
    "A block that hangs, crashes or uses too much memory harms only its own job.": (
        "tests/contract/test_contract_ends.py::test_an_abnormal_end_is_a_failure_that_names_its_cause"
    ),
    "The worker ends it and tells the engine why, and at which line.": (
        f"{MISBEHAVING}::test_a_job_over_its_time_is_ended_in_time_and_says_where_it_was"
    ),
    "Other jobs go on, and so does the heartbeat.": (
        "tests/contract/test_contract_liveness.py"
        "::test_heartbeats_continue_while_every_slot_burns_a_core_and_holds_the_gil"
    ),
    "While the engine is away, results wait in a journal.": (
        "tests/contract/test_contract_restart.py"
        "::test_a_result_that_was_not_delivered_before_a_kill_is_sent_with_the_same_bytes"
    ),
    "It needs Linux and Python 3.11 or newer.": (
        "tests/packaging/test_wheel.py::test_the_wheel_s_metadata_says_version_python_and_license"
    ),
    "It needs no root, no container and no cgroups.": (
        "tests/bombs/test_bombs_without_privileges.py"
        "::test_no_process_of_a_bomb_is_left_behind_its_result_and_the_next_job_is_unharmed"
    ),
    "With python3, venv and make (Debian: apt install python3-venv make), in a checkout:": (
        "tests/packaging/test_set_up.py::test_a_python_without_venv_is_told_with_the_debian_package"
    ),
    "The demo starts an engine, the worker and an emulated network device.": (
        f"{DEMO}::test_the_demo_ends_with_0_well_within_a_minute"
    ),
    "It runs eleven jobs, and prints for each (shortened):": f"{DEMO}::test_every_job_ends_as_it_was_made_to",
    "Run it once, in a child process under the worker's limits:": (
        "tests/supervisor/commands/test_run_block.py"
        "::test_a_hang_is_killed_at_its_limit_and_the_result_says_where_it_was"
    ),
    "It starts with supervisor new-block, and adds tests and a device.": (
        "tests/docs/test_docs_executed.py::test_a_page_that_is_executed_works_as_printed_from_an_empty_directory"
    ),
    "Blocks written for neops_worker_sdk run unchanged.": (
        "tests/programs/compat/test_compat_outcomes.py::*"
    ),
    "doctor checks the machine and says what to do.": (
        "tests/supervisor/commands/doctor/test_doctor.py"
        "::test_what_fails_is_named_with_what_to_do_and_sets_the_exit_code"
    ),
    "For production there is a systemd unit.": (
        "tests/programs/systemd/test_systemd_quick.py"
        "::test_the_service_runs_blocks_hears_no_forged_notification_and_stops_with_nothing_left"
    ),
    "Without an engine, supervisor local runs one on this machine.": (
        "tests/supervisor/commands/test_local.py::test_a_job_runs_and_is_still_known_after_a_restart"
    ),
    "Ctrl-C ends both:": (
        "tests/supervisor/commands/test_local.py"
        "::test_a_job_that_runs_may_finish_after_the_first_signal_and_its_result_is_kept"
    ),
    "A running worker answers supervisor status, top, logs and cancel, and serves metrics: the operator's guide.": (
        "tests/docs/test_features.py::test_each_command_shows_what_it_is_named_for"
    ),
    "Version 0.2, not released.": (
        "tests/packaging/test_versions.py::test_changelog_entries_descend_and_only_the_top_one_is_unreleased"
    ),
    "The tests run the worker against an engine of our own, sdk.devengine, with the client libraries 0.42 and 0.43.": (
        "tests/packaging/test_locks.py::test_a_lock_holds_the_client_that_its_input_names"
    ),
    "Blocks run as the worker's user.": (
        "tests/jobusers/test_job_users.py::test_the_worker_s_own_files_are_read_where_jobs_run_as_its_user"
    ),
    "The kernel keeps them from the worker's files, from its limits and from each other: how far.": (
        "tests/contract/test_contract_isolation.py"
        "::test_state_behind_a_link_is_closed_and_blocks_inside_it_can_be_read"
    ),
    "With --job-users each job has a user of its own.": (
        "tests/jobusers/test_job_users.py::test_a_job_can_read_and_signal_neither_the_worker_nor_another_job"
    ),
    "A hundred hostile blocks, injected faults and mutated code are part of them.": (
        "tests/programs/zoo/test_zoo_quick.py::*"
    ),
}
"""What README says the software does, and the test that holds it; `*` is every test of a file."""

NO_CLAIMS = {
    "For devices: a first block, many at once, safe changes, keys and jump hosts, labs.",
    "neops automates networks: its engine runs workflows whose steps are function blocks, Python classes that read or "
    "change devices.",
    "This is a worker for that engine.",
    "It is for those who write blocks, and for those who run them on a real network.",
    "In a checkout:",
    "Write greet.py:",
    "Submit a job in another terminal:",
    "The tutorial takes ten minutes.",
    "Until 1.0, names of settings and of the SDK may change from one minor version to the next.",
    "The engine's source is not public.",
    "It has not run in production yet.",
    "The tests start real processes, and use real HTTP, SSH and SQLite.",
    "Documentation · architecture · decisions · contributing · changes.",
    "The licence is Apache-2.0.",
}
"""What it says besides: what neops is, for whom this is, what does not exist, and where to read on."""


COMMANDS_RUN_ELSEWHERE = {
    "make demo": "tests/docs/test_docs_readme.py::test_the_demo_prints_what_is_shown",
    "make test": "tests/packaging/test_ci.py::test_a_readme_with_another_test_command_fails_the_checks",
    "python3 -m venv ~/neops && . ~/neops/bin/activate": (
        "tests/packaging/test_set_up.py::test_a_python_without_venv_is_told_with_the_debian_package"
    ),
    "pip install '.[test,emulator]'": (
        "tests/packaging/test_wheel.py::test_the_wheel_declares_the_entry_points_of_pyproject"
    ),
    "supervisor doctor": (
        "tests/supervisor/commands/doctor/test_doctor.py"
        "::test_a_machine_that_runs_these_tests_passes_and_each_check_has_one_line"
    ),
    "supervisor --engine-url http://engine:3030 --function-blocks /srv/blocks": (
        "tests/docs/test_docs_commands.py::test_each_command_that_is_shown_has_flags_that_exist"
    ),
}
"""README's commands that its walkthrough does not run, and the test that does, or that looks at them."""


def sentences() -> list[str]:
    """Return README's sentences, without code, headings and marks."""
    text = re.sub(r"^```.*?^```", "", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[`*]", "", text)
    paragraphs = re.split(r"\n\s*\n|^- ", text, flags=re.MULTILINE)
    plain = [
        " ".join(part.split()) for part in paragraphs if part.strip() and not part.lstrip().startswith("#")
    ]
    return [sentence for part in plain for sentence in re.split(r"(?<=[.:])\s+(?=[A-Z])", part)]


def test_it_is_read_in_a_few_minutes() -> None:
    assert len(README.read_text(encoding="utf-8").split()) <= MOST_WORDS


def test_every_sentence_is_a_claim_that_a_test_holds_or_claims_nothing() -> None:
    assert [each for each in sentences() if each not in CLAIMS and each not in NO_CLAIMS] == []


def test_no_claim_is_listed_that_is_not_made() -> None:
    assert sorted({*CLAIMS, *NO_CLAIMS} - set(sentences())) == []


def test_each_command_is_run_by_the_walkthrough_or_by_another_test() -> None:
    shown = [
        step.command
        for block in blocks_of(README)
        if block.language == "console" and "shown" in block.attributes
        for step in steps_of(block)
    ]
    assert sorted(filter(None, shown)) == sorted(COMMANDS_RUN_ELSEWHERE)


@pytest.mark.parametrize("held_by", sorted({*CLAIMS.values(), *COMMANDS_RUN_ELSEWHERE.values()}))
def test_the_test_that_holds_a_claim_exists(held_by: str) -> None:
    file, _, name = held_by.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in names or (name == "*" and any(each.startswith("test_") for each in names))


def test_the_demo_prints_what_is_shown(tmp_path: Path) -> None:
    (shown,) = [
        block for block in blocks_of(README) if block.language == "text" and "demo" in block.attributes
    ]
    head, *lines = shown.text.splitlines()
    report = _demo(tmp_path)
    for line in lines[: lines.index("")]:
        row = report["rows"][[each["job"] for each in report["rows"]].index(line.split()[0])]
        cells = [row["job"], row["what"], row["outcome"], row["cause"], row["where"]]
        assert line.split() == " ".join(cells).split()
    assert " ".join(head.split()) == "job what it does outcome cause where it was"
    assert len(report["rows"]) == 11
    assert lines[-1] == f"Processes left over: {len(report['left'])}"


def _demo(home: Path) -> dict[str, Any]:
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home)}
    command = ["make", "--no-print-directory", "demo", "ARGS=--json", "ENVIRONMENT=env"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=MOST_DEMO_SECONDS,
        check=True,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report
