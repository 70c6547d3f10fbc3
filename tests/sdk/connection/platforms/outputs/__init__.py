"""What devices print: of FRR and Linux as they printed it, of all others written in their format."""

from pathlib import Path

_HERE = Path(__file__).parent


def output(family: str, name: str) -> str:
    """Return the text in `family/name.txt` or `.json`."""
    path = _HERE / family / name
    return next(
        path.with_suffix(ending) for ending in (".txt", ".json") if path.with_suffix(ending).exists()
    ).read_text()
