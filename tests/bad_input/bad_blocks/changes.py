"""Changes the entities of its context to what can't be sent."""

import math
from collections.abc import Callable
from typing import Any

from common import Anything, Choice, bad

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block


def circle() -> dict[str, Any]:
    round_and_round: dict[str, Any] = {}
    round_and_round["again"] = round_and_round
    return round_and_round


def in_place(context: WorkflowContext) -> None:
    assert context.device is not None
    assert context.device.facts is not None
    context.device.facts["peers"] = {"r2", "r1"}


CHANGES: dict[str, Callable[[WorkflowContext, Any], Any]] = {
    "set": lambda context, device: in_place(context),
    "nan": lambda context, device: setattr(device, "facts", {"load": math.nan}),
    "object": lambda context, device: setattr(device, "facts", {"seen": [object()]}),
    "circle": lambda context, device: device.facts.update(circle()),
    "wrong type": lambda context, device: setattr(device, "hostname", 5),
    "unknown field": lambda context, device: setattr(device, "hostnam", "r1"),
    "read only": lambda context, device: setattr(device, "interface_count", 9),
    "id": lambda context, device: setattr(device, "id", 9),
    "no list": lambda context, device: setattr(context, "devices", None),
    "no entity": lambda context, device: context.devices.append({"hostname": "r2"}),
    "none": lambda context, device: context.devices.append(None),
    "another": lambda context, device: setattr(context, "device", 5),
    "twice": lambda context, device: context.devices.append(device),
    "attribute gone": lambda context, device: delattr(context, "devices"),
    "surrogate": lambda context, device: setattr(device, "hostname", "half \ud83d"),
}


@register_function_block(bad("change", run_on="device"))
class Change(FunctionBlock[Choice, Anything]):
    async def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        CHANGES[params.which](context, context.device)
        return FunctionBlockResult(success=True, message="ok")
