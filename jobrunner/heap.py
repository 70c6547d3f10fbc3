"""The heap of a template. Its children share it, and this keeps it shared."""

import gc


def freeze() -> None:
    """Freeze all present objects: no garbage collection in a child touches them, which would copy their pages."""
    gc.collect()
    gc.freeze()
