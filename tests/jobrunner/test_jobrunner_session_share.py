"""The share of the processors that a session has: looked at before each fork, by a file that stays open."""

import os
from pathlib import Path

import pytest

from jobrunner import session_holder
from jobrunner.session_holder import SessionShare


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the kernel says of a session; as long as it is not there, the kernel does not share by sessions."""
    file = tmp_path / "autogroup"
    monkeypatch.setattr(session_holder, "_SCHEDULING_GROUP", str(file))
    return file


@pytest.mark.parametrize(
    ("said", "is_ordinary"),
    [
        ("/autogroup-42 nice 0\n", True),
        ("", True),
        ("/autogroup-42 nice 5\n", False),
        ("/autogroup-42 nice -20\n", False),
        ("/autogroup-42 nice 10\n", False),
        (f"/autogroup-{2**63 - 1} nice 0\n", True),
        (f"/autogroup-{2**63 - 1} nice -20\n", False),
    ],
)
def test_a_share_is_ordinary_where_nobody_has_changed_it(group: Path, said: str, is_ordinary: bool) -> None:
    group.write_text(said)
    assert SessionShare().is_ordinary() is is_ordinary


def test_each_look_sees_what_the_share_is_then_and_opens_no_further_file(group: Path) -> None:
    share = SessionShare()
    assert share.is_ordinary()  # there is none
    group.write_text("/autogroup-42 nice 0\n")
    assert share.is_ordinary()
    before = len(os.listdir("/proc/self/fd"))
    group.write_text("/autogroup-42 nice 5\n")
    assert not share.is_ordinary()
    group.write_text("/autogroup-42 nice 0\n")
    assert share.is_ordinary()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(
    not os.path.exists("/proc/self/autogroup"), reason="this kernel does not share processors by session"
)
def test_the_kernel_says_at_each_look_the_same_by_the_file_that_is_open_as_by_a_new_one() -> None:
    share = SessionShare()
    for _ in range(2):
        now = Path("/proc/self/autogroup").read_text()
        assert share.is_ordinary() == (now.endswith(" nice 0\n") or not now)
