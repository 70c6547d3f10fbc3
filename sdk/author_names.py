"""The names of an author's modules, as the author knows them."""

import re
from typing import Final

_PRIVATE_PACKAGE: Final = re.compile(r"\b_neops_directory_\w+?\.")


def author_name(text: str) -> str:
    """Return `text` without the name of our package: modules of an author's folder are imported under it."""
    return _PRIVATE_PACKAGE.sub("", text)
