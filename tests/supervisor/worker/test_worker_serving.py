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
    )
    code = (
        f"import sys, supervisor.commands.daemon; print([name for name in {late!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
