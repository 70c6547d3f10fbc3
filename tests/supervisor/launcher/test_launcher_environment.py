"""What jobs get of the worker's environment, and what they don't get to know of its program."""

import os
import sys

import pytest

from supervisor.launcher.environment import job_environment, starting_for_jobs

OF_THE_WORKER = {
    "PATH": "/bin",
    "LANG": "C",
    "LANGUAGE": "en",
    "LC_ALL": "C",
    "TZ": "UTC",
    "SSL_CERT_FILE": "/certificates",
    "SSL_CERT_DIR": "/etc/ssl",
    "HTTPS_PROXY": "http://proxy",
    "https_proxy": "http://proxy",
    "NEOPS_WORKER": "0123456789abcdef",
}
SECRET = {
    "NEOPS_ENGINE_TOKEN": "t0ps3cret",
    "DATABASE_PASSWORD": "s3cret",
    "HOME": "/root",
    "PYTHONPATH": "/opt",
    "MY_PATH": "/x",
    "PROXY_PASSWORD": "s3cret",
}


def test_jobs_get_what_programs_need_and_what_was_named_and_nothing_else() -> None:
    assert job_environment(OF_THE_WORKER | SECRET, frozenset()) == OF_THE_WORKER
    named = job_environment(OF_THE_WORKER | SECRET, frozenset({"HOME", "NOT_SET"}))
    assert named == OF_THE_WORKER | {"HOME": "/root"}


@pytest.mark.parametrize("is_other", [True, False], ids=["another environment", "its own"])
def test_a_start_shows_the_environment_of_jobs_and_no_script_and_the_worker_keeps_its_own(
    is_other: bool,
) -> None:
    before, main = dict(os.environ), sys.modules["__main__"]
    shown = {"PATH": "/bin"} if is_other else before

    def start() -> None:
        assert dict(os.environ) == shown
        assert sys.modules["__main__"] is not main
        assert not hasattr(sys.modules["__main__"], "__file__")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), starting_for_jobs(shown):
        start()
    assert dict(os.environ) == before
    assert sys.modules["__main__"] is main
