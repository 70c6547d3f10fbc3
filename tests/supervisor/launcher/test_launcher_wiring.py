"""The descriptors of a child that never came to be: none stays open."""

import errno

import pytest
from launcher_support import open_descriptors, with_ever_more_descriptors

from supervisor.errors import LaunchError
from supervisor.launcher.wiring import Wiring


def test_wiring_that_is_closed_leaves_no_descriptor_open() -> None:
    before = open_descriptors()
    wiring = Wiring()
    assert len(open_descriptors() - before) == 7
    wiring.close()
    assert open_descriptors() == before


def test_wiring_for_which_descriptors_run_out_leaves_none_open_however_far_it_came() -> None:
    before = open_descriptors()
    wiring, refused = with_ever_more_descriptors(Wiring, LaunchError)
    wiring.close()
    assert sum("Raise the limit of open files" in str(error) for error in refused) >= 7
    assert open_descriptors() == before


@pytest.mark.parametrize("refused", ["os.ftruncate", "fcntl.fcntl"])
def test_wiring_whose_dump_gets_no_memory_leaves_no_descriptor_open(
    monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOMEM, "no memory")

    before = open_descriptors()
    with monkeypatch.context() as patched:
        patched.setattr(refused, refuse)
        with pytest.raises(LaunchError):
            Wiring()
    assert open_descriptors() == before
