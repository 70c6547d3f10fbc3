"""The names of an author's modules, as the author knows them."""

import re
from typing import Final

_PRIVATE_PACKAGE: Final = re.compile(r"\b_neops_directory_\w+?\.")


def author_name(text: str) -> str:
    """Return `text` without the package of ours in which the modules of an author's folder are imported."""
    return _PRIVATE_PACKAGE.sub("", text)
