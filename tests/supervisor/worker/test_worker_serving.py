"""What a worker imports before its template starts, and what only beside it."""

import subprocess
import sys


def test_what_only_a_worker_with_blocks_needs_is_not_imported_before_the_template_starts() -> None:
    late = (
        "supervisor.worker.serving",
        "supervisor.engine.api",
        "supervisor.job.runner",
        "supervisor.worker.dispatch",
        "supervisor.worker.poller",
        "supervisor.worker.reload",
        "supervisor.worker.parts",
        "supervisor.worker.control.table",
        "supervisor.journal.ended_jobs",
        "supervisor.job",
    )
    assert imported_of(late, by="supervisor.commands.daemon") == "[]"


def test_what_no_worker_needs_whose_engine_is_reached_by_plain_http_is_not_imported_at_all() -> None:
    unneeded = (
        "aiohttp",
        "difflib",
        "http.client",
        "prometheus_client",
        "sdk",
        "supervisor.engine.client_transport",
        "supervisor.worker.health.recorder",
        "urllib.request",
    )
    assert imported_of(unneeded, by="supervisor.commands.daemon, supervisor.worker.serving") == "[]"


def test_what_the_control_socket_answers_with_comes_with_the_rest_of_the_worker() -> None:
    table = ("supervisor.worker.control.table",)
    assert imported_of(table, by="supervisor.worker.serving") == str(list(table))


def imported_of(names: tuple[str, ...], by: str) -> str:
    code = f"import sys, {by}; print([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
