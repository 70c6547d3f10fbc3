"""A block that tells the secrets of its job to everyone."""

import logging
import sys

from declaring import ChoiceParams, NoData, contract_block

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block


@register_function_block(contract_block("leak", ChoiceParams, run_on="device"))
class Leak(FunctionBlock[ChoiceParams, NoData]):
    """Puts the device's password into logs, output and an exception."""

    async def run(self, params: ChoiceParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return it in the message, or raise it.

        Raises:
            RuntimeError: with the choice `raise`.
        """
        assert context.device is not None
        secret = context.device.password
        self.logger.warning("logged %s", secret)
        logging.getLogger("author").info("root-logged %s", secret)
        print("printed", secret)
        print("complained", secret, file=sys.stderr, flush=True)
        if params.choice == "raise":
            raise RuntimeError(f"raised {secret}")
        return FunctionBlockResult(success=True, message=f"returned {secret}", data=NoData())
