"""Which line of a traceback is the author's, wherever the author keeps the code."""

from pathlib import Path
from types import TracebackType

import pytest

from sdk.frames import author_frame, frames_to_show


def trace_through(*files: Path) -> TracebackType:
    """The traceback of a call from each file to the next, the last of which raises."""
    inner = "raise ValueError"
    for file in reversed(files):
        scope: dict[str, object] = {"inner": inner}
        source = "def call():\n    " + (inner if isinstance(inner, str) else "inner()")
        exec(compile(source, str(file), "exec"), scope)
        inner = scope["call"]  # type: ignore[assignment]
    with pytest.raises(ValueError) as caught:
        inner()  # type: ignore[operator]
    assert caught.value.__traceback__ is not None
    trace = caught.value.__traceback__.tb_next
    assert trace is not None
    return trace


def file_in(folder: Path, name: str, *, package: bool = False) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if package:
        path.parent.joinpath("__init__.py").touch()
    return path


@pytest.mark.parametrize(
    ("inner", "is_the_authors"),
    [
        ("helper.py", True),
        ("helpers/more.py", True),
        (".venv/lib/python3.11/site-packages/library.py", False),
        ("../elsewhere/library.py", False),
    ],
)
def test_code_below_the_block_s_folder_is_the_author_s_and_an_environment_there_is_not(
    tmp_path: Path, inner: str, is_the_authors: bool
) -> None:
    block, other = tmp_path / "blocks" / "block.py", (tmp_path / "blocks" / inner).resolve()
    frame = author_frame(trace_through(block, other))
    assert frame is not None
    assert frame.filename == str(other if is_the_authors else block)


def test_an_installed_package_of_blocks_is_the_author_s_as_a_whole_and_its_neighbours_are_not(
    tmp_path: Path,
) -> None:
    installed = tmp_path / "site-packages"
    top = file_in(installed, "acme/util.py", package=True)
    block = file_in(installed, "acme/blocks/block.py", package=True)
    neighbour = file_in(installed, "library/code.py", package=True)
    frame = author_frame(trace_through(block, top, neighbour))
    assert frame is not None
    assert frame.filename == str(top)


def test_what_only_we_stand_in_has_no_author(tmp_path: Path) -> None:
    ours = Path(frames_to_show.__code__.co_filename)
    trace = trace_through(ours)
    assert author_frame(trace) is None
    assert frames_to_show(trace) == []
