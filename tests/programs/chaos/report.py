"""What one seed leaves in its directory: a report for the table, and records for whoever looks for a reason."""

import json
from pathlib import Path

from tests.programs.chaos.checks import Findings
from tests.programs.chaos.history import History


def write(directory: Path, history: History, findings: Findings, facts: dict[str, object]) -> None:
    """Write the report, and everything that was recorded."""
    report = {
        "violations": findings.violations,
        "counts": findings.counts,
        "longest_gap_seconds": findings.longest_gap_seconds,
        **facts,
    }
    (directory / "report.json").write_text(json.dumps(report))
    with (directory / "exchanges.txt").open("w") as file:
        for each in history.exchanges:
            answer = each.answer[:120]
            file.write(
                f"{each.arrived:.3f} {each.route or each.path} engine {each.engine_statuses} "
                f"fault {each.fault} sent {each.status} at {each.answered or 0:.3f} {each.body[:200]!r} -> {answer!r}\n"
            )
    with (directory / "deeds.txt").open("w") as file:
        file.writelines(
            f"{deed.at:.3f} to {deed.until:.3f} {deed.what} {deed.pid}\n" for deed in history.deeds
        )
    with (directory / "jobs.txt").open("w") as file:
        for job in history.jobs:
            claimed = (job.claimed_at or 0) - history.epoch
            file.write(
                f"{job.job_id} {job.item['parameters']['act']} attempts {job.attempts} claimed {claimed:.3f} "
                f"by {job.worker_id} {job.status} {job.result_status} {job.finished_by} "
                f"{(job.result_text or '')[:160]}\n"
            )
    with (directory / "standstills.txt").open("w") as file:
        file.writelines(f"{at - late:.3f} to {at:.3f}\n" for at, late in sorted(history.lateness))
