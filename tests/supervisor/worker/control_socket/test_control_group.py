"""The group of the control socket: let in where that can be, and said where not; root and the owner always are."""

import errno
import os
import stat
from pathlib import Path

import pytest

from supervisor.worker.control_socket.group import why_closed
from supervisor.worker.control_socket.listener import listen_in

GROUP = os.getegid()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.EPERM, "SupplementaryGroups="), (errno.EINVAL, "PrivateUsers=no")]
)
def test_where_the_worker_may_not_give_it_to_the_group_the_socket_stays_for_root_and_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fchown", refuse)
    listening = listen_in(tmp_path / "run", GROUP)
    try:
        assert listening.group is None
        assert advice in str(listening.closed_to_group)
        modes = [mode(tmp_path / "run" / name) for name in (".", "control.sock", "control.secret")]
        assert modes == [0o700, 0o600, 0o600]
    finally:
        listening.close()


def test_a_directory_that_the_worker_makes_is_the_group_s_to_enter(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o755)
    listening = listen_in(tmp_path / "run", GROUP)
    try:
        modes = [mode(tmp_path / "run" / name) for name in (".", "control.sock", "control.secret")]
        assert modes == [0o750, 0o660, 0o640]
        assert {(tmp_path / "run" / name).stat().st_gid for name in (".", "control.sock")} == {GROUP}
    finally:
        listening.close()


def test_a_directory_that_was_there_is_left_as_it_is_and_said_to_be_closed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    listening = listen_in(tmp_path / "run", GROUP)
    try:
        assert mode(tmp_path / "run") == 0o700
        assert listening.group == GROUP
        assert "is closed to it" in str(listening.closed_to_group)
    finally:
        listening.close()


def test_a_directory_above_that_is_closed_to_the_group_is_named(tmp_path: Path) -> None:
    above = tmp_path / "above"
    (above / "run").mkdir(parents=True)
    os.chmod(above, 0o700)
    os.chmod(above / "run", 0o755)
    # Somewhere above the directories of tests there is one for their user alone, as a rule: that is named first then.
    told = why_closed(above / "run", GROUP)
    assert told is not None
    assert "or give another --runtime-dir, and restart" in told
    assert f"{above}/run is closed" not in told
    os.chmod(above, 0o710)
    assert f"{above} is closed" not in str(why_closed(above / "run", GROUP))
