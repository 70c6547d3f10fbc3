"""What a child is kept apart from, as it travels."""

import json
import pickle

import pytest

from jobrunner.protocol.isolation import FileRules, Isolation

EVERYTHING = Isolation(
    landlock_abi=7,
    seccomp=True,
    new_session_keyring=True,
    files=FileRules(
        closed=("/state", "/etc/token"),
        read_only=("/blocks",),
        writable=("/blocks/a",),
        jobs_directory="/jobs",
    ),
)


@pytest.mark.parametrize("isolation", [Isolation(), EVERYTHING])
def test_it_arrives_as_it_was_sent(isolation: Isolation) -> None:
    assert Isolation.from_json(isolation.to_json()) == isolation == pickle.loads(pickle.dumps(isolation))


def test_the_one_that_is_off_asks_the_kernel_for_nothing_but_the_signal_fence() -> None:
    files = {"closed": [], "read_only": [], "writable": [], "jobs_directory": None}
    assert json.loads(Isolation().to_json()) == {
        "landlock_abi": 0, "seccomp": False, "new_session_keyring": False, "contain_signals": True, "files": files,
    }  # fmt: skip
