"""Blocks that print too much, or bytes that nobody can read."""

import os
import sys
from typing import Literal

from pydantic import Field

from blocks.testing.registering import NoData, NoParams, misbehaving
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    WorkflowContext,
    register_function_block,
)

__neops_named_only__ = True


class FloodParams(FunctionBlockParams):
    """How much, and to which stream."""

    mb: int = Field(default=16, ge=1, description="MiB to write")
    stream: Literal["stdout", "stderr", "log"] = Field(default="stdout", description="Where to write it")


@register_function_block(misbehaving("invalid_utf8", "Prints bytes that are no UTF-8"))
class InvalidUtf8(FunctionBlock[NoParams, NoData]):
    """Writes bytes that are not UTF-8 to both output streams, between readable lines."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success."""
        for descriptor in (1, 2):
            os.write(descriptor, b"before\n\xff\xfe\xc3\x28 \xed\xa0\x80\nafter\n")
        return FunctionBlockResult(success=True, message="Printed it", data=NoData())


@register_function_block(misbehaving("output_flood", "Floods its output or its log", FloodParams))
class OutputFlood(FunctionBlock[FloodParams, NoData]):
    """Writes as much and as fast as it can, in lines of 128 characters."""

    async def run(self, params: FloodParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success after the last line."""
        line = "x" * 127
        stream = sys.stderr if params.stream == "stderr" else sys.stdout
        for _ in range(params.mb << 13):
            if params.stream == "log":
                self.logger.info(line)
            else:
                stream.write(line + "\n")
        stream.flush()
        return FunctionBlockResult(success=True, message="Wrote it all", data=NoData())


class SecretParams(FunctionBlockParams):
    """A secret that is not one of the devices' secrets."""

    secret: str = Field(default="", description="Told along with the passwords of the devices")


@register_function_block(
    misbehaving("secret_in_error", "Tells passwords in log, output and error", SecretParams, run_on="device")
)
class SecretInError(FunctionBlock[SecretParams, NoData]):
    """Logs and prints every device password of its context, then raises an error that holds them."""

    async def run(self, params: SecretParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return.

        Raises:
            RuntimeError: with the secrets in its text.
        """
        secrets = [device.password for device in context.devices if device.password]
        told = ", ".join([*secrets, params.secret])
        self.logger.error("The log says: %s", told)
        print(f"The output says: {told}", flush=True)
        print(f"The error output says: {told}", file=sys.stderr, flush=True)
        raise RuntimeError(f"The error says: {told}")
