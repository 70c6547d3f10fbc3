"""Words that people and programs write after a word such as `password`, and that are not secret."""

import re
from typing import Final

_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
"""As in a block's id: `acme/rotate_password:1.0.0`."""
_PROSE: Final = re.compile(
    r"a|an|and|any|array|assertion|at|boolean|bytes|cannot|could|data|decimal|denied|"
    r"dictionary|does|empty|enter|expected|extra|failed|field|for|has|how|if|in|incorrect|"
    r"input|instance|integer|invalid|is|it|list|maximum|minimum|missing|must|no|not|number|"
    r"object|ok|of|on|or|please|refused|rejected|required|see|set|should|string|that|the|"
    r"this|to|tuple|unknown|url|use|value|was|what|when|why|wrong|you|your",
    re.IGNORECASE,
)
"""Words with which the worker, pydantic and people go on after a name and a colon."""
_TYPES: Final = re.compile(
    r"str|int|float|bool|bytes|list|dict|tuple|set|Any|Annotated|Optional|Union|Literal|"
    r"SecretStr|SecretBytes|Secret|Sequence|Mapping|Callable|object|string|number"
)


def is_prose(value: str) -> bool:
    """Whether a value is the beginning of a sentence, a type, a version, or what follows `://`."""
    return value.startswith("//") or bool(
        _VERSION.match(value)
        or _PROSE.fullmatch(value.strip(".:!?"))
        or _TYPES.fullmatch(value.split("[")[0])
    )
