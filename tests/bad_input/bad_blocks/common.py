"""What the blocks of these tests have in common."""

from typing import Any

from sdk import FunctionBlockParams, FunctionBlockResultData, Registration


class Choice(FunctionBlockParams):
    which: str = ""


class Anything(FunctionBlockResultData):
    value: Any = None


def bad(name: str, **changes: Any) -> Registration:
    facts: dict[str, Any] = {
        "package": "bad",
        "name": name,
        "description": "A block that is wrong in one way",
        "run_on": "global",
        "fb_type": "execute",
        "param_cls": Choice,
        "result_cls": Anything,
    }
    return Registration(**(facts | changes))
