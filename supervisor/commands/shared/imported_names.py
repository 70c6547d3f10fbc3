"""Which modules an author's file imports, as its text says: nothing is imported."""

import ast


def imported_names(node: ast.AST, *, relative: bool) -> list[str]:
    """Return the first parts of the names that a statement imports; none for any other node.

    With `relative`, also what it imports from its own package, as in `from .parts import show`.
    """
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if not isinstance(node, ast.ImportFrom) or (node.level and not relative):
        return []
    return [node.module.partition(".")[0]] if node.module else [alias.name for alias in node.names]
