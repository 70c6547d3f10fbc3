"""The table of commands: what a worker says that is on its way up, and what `status` warns of."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.commands.status import _print
from supervisor.journal.ended_jobs.store import EndedJobs
from supervisor.worker.control.starting import COMMAND_NAMES, handlers_of
from supervisor.worker.control.status import warnings_of
from supervisor.worker.control.table import COMMANDS
from supervisor.worker.control_socket.protocol import ControlError, Peer, Request
from supervisor.worker.readiness import CAUSES, JOURNAL_PROBLEM


def test_a_worker_on_its_way_up_knows_the_names_of_all_commands() -> None:
    assert sorted(COMMAND_NAMES) == sorted(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"status"}))
def test_what_a_worker_on_its_way_up_can_t_answer_yet_fits_every_command(command: str) -> None:
    request = Request(command, {}, Peer(1, 0, "root"))
    with pytest.raises(ControlError) as raised:
        handlers_of(lambda: None, Path())[command](request)
    assert raised.value.cause == "starting"
    assert str(raised.value).startswith("The worker is on its way up, and can't answer this yet.")


def parts_with(kept: EndedJobs | None, *, journal_in_trouble: bool = False) -> Any:
    return SimpleNamespace(
        dispatcher=SimpleNamespace(records=SimpleNamespace(kept=kept)),
        journal=SimpleNamespace(is_in_trouble=journal_in_trouble),
    )


def test_status_warns_of_the_journal_s_disk_which_is_no_reason_to_be_not_ready() -> None:
    (warning,) = warnings_of(parts_with(None, journal_in_trouble=True))
    assert (warning.cause, warning.message) == ("journal", JOURNAL_PROBLEM)
    assert "journal" not in CAUSES


async def test_status_warns_of_ended_jobs_that_are_lost_and_the_worker_is_ready_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert warnings_of(parts_with(None)) == ()
    kept = EndedJobs(tmp_path, 10)
    assert warnings_of(parts_with(kept)) == ()
    kept._drop(3, 100, "No space left on device")
    (warning,) = warnings_of(parts_with(kept))
    said = f"3 ended job(s) could not be kept in {tmp_path}: No space left on device"
    assert (warning.cause, warning.message) == ("ended_jobs", said)
    told = {"cause": warning.cause, "message": warning.message}
    _print({"ready": True, "why_not": [], "warnings": [told], "pid": 1})
    assert capsys.readouterr().out.splitlines()[:2] == ["ready", f"  warning: {said} (ended_jobs)"]
    await kept.close()
