"""The mark of a module that is loaded only if it is named. Pure."""

import ast
from typing import Final

_MARK: Final = "__neops_named_only__"


def is_named_only(source: bytes) -> bool:
    """Whether a text sets `__neops_named_only__ = True`. It is read, not imported: the import alone may do harm."""
    if _MARK.encode() not in source:
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # other code reports what is wrong with it
    return any(
        isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == _MARK for target in node.targets)
        and isinstance(node.value, ast.Constant)
        and node.value.value is True
        for node in tree.body
    )
