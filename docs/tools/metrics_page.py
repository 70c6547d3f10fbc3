"""The page of the metrics, from the table in the code."""

from collections.abc import Iterator

from supervisor.worker.health.metrics import METRICS, Metric
from supervisor.worker.health.snapshot import LOOP_BLOCKED
from supervisor.worker.readiness import CAUSES

METRICS_FILE = "metrics.md"

_HEAD = """# Metrics

<!-- Written by `make docs` from `supervisor/worker/health/metrics.py`; changes here are lost. -->

The metrics of `/metrics`. [Metrics and health](../how-to/metrics-and-health.md) says how to switch them on. `block`
is the id of a block of this worker; for ids that it does not have, it is `other`. `cause` is one of the
[causes](causes.md). Only `neops_worker_not_ready` has its causes from the table below.

| metric | kind | labels | what it counts |
|---|---|---|---|"""

_NOT_READY = """
## Why a worker is not ready

`/ready` and `supervisor status` name these causes to those who may know them.

| cause | meaning |
|---|---|"""

_BLOCKED = "The worker's event loop has not run for seconds. Only `/ready` and `/metrics` tell it."


def render_metrics() -> str:
    """Return the page of metrics as Markdown."""
    causes = {**CAUSES, LOOP_BLOCKED: _BLOCKED}
    rows = [f"| `{cause}` | {meaning} |" for cause, meaning in causes.items()]
    return "\n".join([_HEAD, *map(_row, METRICS), _NOT_READY, *rows, *_buckets()]) + "\n"


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |"


def _buckets() -> Iterator[str]:
    yield "\n## Buckets of the histograms\n\n| metric | upper bounds |\n|---|---|"
    for metric in METRICS:
        if metric.buckets:
            yield f"| `{metric.name}` | {', '.join(f'{bound:.12g}' for bound in metric.buckets)} |"
