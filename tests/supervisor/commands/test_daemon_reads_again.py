"""Settings that can't be read anew are a reload that is refused, and no reason to stop."""

import errno

import pytest

from supervisor.commands import daemon as daemon_module
from supervisor.errors import ReloadRefusedError


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES])
def test_a_file_of_settings_that_can_not_be_opened_refuses_the_reload(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def parse(*_: object) -> None:
        raise OSError(number, "no", ".env")

    monkeypatch.setattr(daemon_module, "parse", parse)
    with pytest.raises(ReloadRefusedError, match=r"The settings can't be read: .*'\.env'"):
        daemon_module._read_again([])
