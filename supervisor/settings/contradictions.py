"""Settings that are each right, but contradict each other. It reads nothing but where links lead."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from supervisor.settings.engine_url import has_user
from supervisor.settings.marks import closed_by_a_command
from supervisor.settings.writable_paths import opens_what_is_closed

KILL_MARGIN_SECONDS: Final = 30.0
"""How long the end of a job may take beyond limit and grace: stack, kill, clearing its tree, and delivery."""

_OF_THE_TIME_LIMIT: Final = ("max_job_seconds", "grace_seconds", "engine_job_timeout_seconds")


def contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each contradiction. A setting that is missing in `values` contradicts nothing."""
    if all(name in values for name in _OF_THE_TIME_LIMIT):
        yield from _too_late_for_the_engine(*(float(values[name]) for name in _OF_THE_TIME_LIMIT))
    if values.get("engine_client_key") and values.get("engine_client_certificate", ...) is None:
        yield (
            "--engine-client-key is given without the certificate that it is the key of. "
            "Give --engine-client-certificate too"
        )
    if values.get("engine_token_file") and has_user(str(values.get("engine_url") or "")):
        yield (
            "--engine-url has a user, and --engine-token-file a token: a request has room for one of them. "
            "Take the user out of --engine-url, or leave --engine-token-file out"
        )
    if values.get("on_stall") == "kill" and float(values.get("stall_seconds", 1)) == 0:
        yield (
            "--on-stall kill ends jobs that have stalled, and --stall-seconds 0 watches none. "
            "Give --stall-seconds 10, or leave --on-stall out"
        )
    if values.get("health_token_file") and values.get("health_address", ...) is None:
        yield (
            "--health-token-file is given without the address where the token is asked for. "
            "Give --health-address too, such as 127.0.0.1:9464"
        )
    if values.get("health_token_file") and str(values.get("health_address") or "").startswith("/"):
        yield (
            "--health-token-file is given, and nobody is asked for a token on a Unix socket (--health-address): "
            "it lets in root, the worker's user and --control-group. "
            "Leave --health-token-file out, or give a port, such as 127.0.0.1:9464"
        )
    # A command that runs this worker turns this on by itself, whatever the other settings are.
    if values.get("keep_results") and values.get("keep_jobs", ...) == 0 and not closed_by_a_command():
        yield (
            "--keep-results keeps results beside the jobs that have ended, and --keep-jobs 0 keeps none of those. "
            "Leave --keep-results out, or give another --keep-jobs"
        )
    yield from opens_what_is_closed(values)


def _too_late_for_the_engine(limit: float, grace: float, engine: float) -> Iterator[str]:
    needed = limit + grace + KILL_MARGIN_SECONDS
    if needed <= engine:
        return
    longest = engine - grace - KILL_MARGIN_SECONDS
    advice = f"Use --max-job-seconds {longest:g} or less" if longest > 0 else "Use a shorter --grace-seconds"
    yield (
        f"--max-job-seconds {limit:g} and --grace-seconds {grace:g}, with {KILL_MARGIN_SECONDS:g} s to kill and "
        f"report, make {needed:g} s, but the engine gives a job up after {engine:g} s and would reject the result. "
        f"{advice}"
    )
