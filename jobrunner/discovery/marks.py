"""The mark of a module that is loaded only where it is named. Pure."""

import ast
from typing import Final

_MARK: Final = "__neops_named_only__"


def is_named_only(source: bytes) -> bool:
    """Whether a text sets `__neops_named_only__ = True`. Read, not imported: the import alone may do harm."""
    if _MARK.encode() not in source:
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # what is wrong with it is said elsewhere
    return any(
        isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == _MARK for target in node.targets)
        and isinstance(node.value, ast.Constant)
        and node.value.value is True
        for node in tree.body
    )
