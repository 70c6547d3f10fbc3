"""`neops_base/ping`: asks the system's `ping` whether a host answers."""

import os

from pydantic import Field, field_validator

from blocks.ping_output import failure_text, host_text, parse_statistics
from blocks.programs import run_program
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)

# The longest wait before the first packet is for a name server that does not answer.
_RESOLVE_SECONDS = 15.0


class PingParams(FunctionBlockParams):
    """Which host, how many packets, and how long to wait for an answer."""

    host: str = Field(description="IPv4 or IPv6 address, or host name")
    count: int = Field(default=3, ge=1, le=20, description="Number of packets")
    # Below 0.2 s, ping itself refuses a user without privileges.
    interval_seconds: float = Field(default=0.2, ge=0.2, le=5, description="Seconds between packets")
    timeout_seconds: float = Field(
        default=2, ge=0.1, le=30, description="Seconds to wait for the last answer"
    )

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        return host_text(value)


class PingResult(FunctionBlockResultData):
    """The statistics of ping. Round-trip times are in milliseconds, absent when nothing came back."""

    host: str
    reachable: bool
    sent: int
    received: int
    loss_percent: float
    rtt_min_ms: float | None = None
    rtt_avg_ms: float | None = None
    rtt_max_ms: float | None = None


@register_function_block(
    Registration(
        package="neops_base",
        name="ping",
        version=(1, 0, 0),
        description="Sends ICMP echo requests to a host and reports loss and round-trip times",
        markdown_helptext="Runs the worker's `ping`. Fails when no packet comes back; lost packets alone are "
        "a success, with `loss_percent` in the data. Needs the Debian package `iputils-ping` on the worker.",
        run_on="global",
        fb_type="check",
        param_cls=PingParams,
        result_cls=PingResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class Ping(FunctionBlock[PingParams, PingResult]):
    """Sends ICMP echo requests to a host. When it is cancelled, it kills `ping` and waits for its end."""

    async def run(self, params: PingParams, context: WorkflowContext) -> FunctionBlockResult[PingResult]:
        """Return the statistics; success means that at least one packet came back."""
        limit_seconds = params.count * params.interval_seconds + params.timeout_seconds + _RESOLVE_SECONDS
        try:
            # The block parses the words of the output, so they must be in English.
            completed = await run_program(
                _arguments(params), timeout_seconds=limit_seconds, env={**os.environ, "LC_ALL": "C"}
            )
        except FileNotFoundError:
            return FunctionBlockResult(
                success=False,
                message="The program `ping` is not installed on this worker. "
                "Install it (on Debian: apt-get install iputils-ping).",
                retryable=False,
            )
        statistics = parse_statistics(completed.stdout.text)
        if statistics is None:
            reason, retryable = failure_text(completed.stderr.text, timed_out=completed.timed_out)
            message = f"Ping of {params.host} could not be carried out: {reason}"
            return FunctionBlockResult(success=False, message=message, retryable=retryable)
        data = PingResult(host=params.host, **statistics)
        message = f"{data.received} of {data.sent} packets came back from {data.host}"
        return FunctionBlockResult(success=data.reachable, message=message, data=data)


def _arguments(params: PingParams) -> list[str]:
    return [
        "ping",
        "-n",
        "-q",
        *("-c", str(params.count)),
        *("-i", str(params.interval_seconds)),
        *("-W", str(params.timeout_seconds)),
        "--",
        params.host,
    ]
