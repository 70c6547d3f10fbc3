"""Secrets of a job, told by its block in every way: none leaves the child (I9)."""

import json
from typing import Any

import pytest
from hosting import Host

from jobrunner.protocol.caps import LOG_CAP_CHARS
from tests.programs.redaction.reading import leaked

DECLARED = {"pin": "sésame-öffne", "logins": [{"code": "p&ss w\"rd'1"}, {"code": "x"}]}
WRAPPED = "a/b+c-wrapped"


def texts(done: dict[str, Any], *streams: str | None) -> list[str]:
    return [line["text"] for line in done["lines"] if not streams or line["stream"] in streams]


def test_declared_secrets_are_masked_whatever_their_names_and_however_they_are_written(host: Host) -> None:
    parameters = json.loads(json.dumps(DECLARED))
    parameters["logins"][0]["wrapped"] = WRAPPED
    done = host.run("telling/secrets", parameters)
    assert done["cause"] == "block_raised"
    assert len(done["lines"]) == 3 * 5 + 1
    for secret in (DECLARED["pin"], DECLARED["logins"][0]["code"], WRAPPED):
        for text in (
            *texts(done),
            done["message"],
            done["last_output"],
            json.dumps(done, ensure_ascii=False),
        ):
            assert not any(leaked(text, [secret], ""))
    assert all("***" in text for text in texts(done))


def test_the_catalogue_says_where_a_block_declares_secrets(host: Host) -> None:
    entry = host.blocks["telling/secrets:1.0.0"]
    assert sorted(entry["sensitive_parameters"]) == [
        ["logins", "*", "code"],
        ["logins", "*", "wrapped"],
        ["pin"],
    ]


def test_secrets_that_are_declared_in_records_are_masked_in_the_log_and_in_the_message(host: Host) -> None:
    secrets = ["correct-horse-1", "correct-horse-2", "correct-horse-3"]
    parameters = {
        "logins": [{"code": secrets[0]}],
        "key": {"user": "admin-of-core", "value": secrets[1]},
        "place": {"site": "bern-west", "alarm": secrets[2]},
    }
    done = host.run("telling/records", parameters)
    assert done["cause"] == "block_raised"
    assert "refused ['***', '***', '***']" in done["message"]
    assert sorted(set(texts(done, "stdout"))) == ["printed ***"]
    assert texts(done).count("logged *** at bern-west") == 3
    assert not any(secret in json.dumps(done) for secret in secrets)


def test_a_short_secret_is_masked_beside_its_name_and_nowhere_else(host: Host) -> None:
    done = host.run("telling/short_secret", {"pin": "a1b2"})
    named, alone, model, *_ = texts(done, "stdout")
    assert (named, alone) == ("pin=***", "the a1b2 alone")
    assert "pin='***'" in model
    assert "a1b2" not in done["message"]


def test_a_secret_that_a_cut_goes_through_leaves_no_piece(host: Host) -> None:
    secret = "swordfish-and-chips"
    done = host.run("telling/long_record", {"pin": secret, "count": LOG_CAP_CHARS - 4})
    (logged,) = texts(done, None)
    assert logged.endswith("x *** … [15 more characters cut]")
    done = host.run("telling/long_record", {"pin": secret, "count": 2 * 8192 - 8})
    (printed,) = texts(done, "stdout")
    assert printed.endswith("x *** … [15 more bytes of this line cut]")


@pytest.mark.parametrize("secret", ["swordfish-7", "swordfish-and-chips", "swordf ish", "swordfish-öß!"])
def test_a_child_that_is_killed_while_it_prints_a_secret_leaves_no_piece_of_it(
    host: Host, secret: str
) -> None:
    """The last of them is cut in the middle of a character."""
    done = host.run("telling/dies_in_a_line", {"pin": secret})
    assert done["cause"] == "crashed"
    assert texts(done) == ["it is ***"]
    assert done["last_output"] == "it is ***"
    assert "swordf" not in done["message"]


def test_the_operator_s_names_of_secrets_count_in_the_worker_and_in_the_child(host: Host) -> None:
    """The child joins blanks in an error's text: only it can recognize a secret with two of them."""
    secret = {"text": "sword  fish-7"}
    assert "told sword fish-7" in host.run("telling/raises_text", secret)["message"]
    done = host.run("telling/raises_text", secret, limits={"redact_keys": ["text"]})
    assert "told ***" in done["message"]
    assert "fish-7" not in json.dumps(done)


DEVICE = {
    "devices": [{"id": 5, "hostname": "sw5", "password": "old-pw-1"}],
    "interfaces": [],
    "deviceGroups": [],
}


def test_a_secret_that_the_block_sets_or_creates_is_masked_from_then_on(host: Host) -> None:
    done = host.run("telling/rotates", {"text": "Rotated-Pw", "count": 20}, context=DEVICE)
    assert done["success"]
    assert done["message"] == "returned ***, ***, *** and ***"
    assert sorted(set(texts(done))) == [
        "complained ***",
        "created ***",
        "facts ***",
        "logged ***",
        "printed ***",
    ]
    assert "Rotated" not in json.dumps({**done, "body": None})


def test_a_block_that_sets_passwords_without_end_ends_as_any_other(host: Host) -> None:
    done = host.run("telling/floods_with_secrets", {"text": "Rotated-Pw", "count": 3000}, context=DEVICE)
    assert done["message"] == "returned ***"
    # On a busy machine it also blocks its loop for long enough to be warned of.
    assert [text for text in texts(done) if "blocks its event loop" not in text] == ["logged ***"]


def test_nothing_of_a_large_job_shows_what_it_came_with_or_what_its_block_has_put_into_it(host: Host) -> None:
    device = {"id": 1, "password": "Came-with-it", "facts": {"text": "y" * 300_000}}
    done = host.run("telling/tells_password", context={**DEVICE, "devices": [device]})
    assert json.loads(done["body"])["data"] == {"value": True}  # the collector runs
    assert done["message"] == "returned *** and ***"
    assert texts(done) == ["printed ***"]


@pytest.mark.parametrize(
    ("secret", "before"),
    [("swordfish-and-chips", 1990), ("sword  fish and\tchips", 10)],
    ids=["cut", "blanks"],
)
def test_no_piece_of_a_secret_is_logged_by_what_fails_beside_the_block_s_result(
    host: Host, secret: str, before: int
) -> None:
    """What is described is cut, and its blanks are joined: the supervisor would not find such a secret any more."""
    done = host.run("telling/besides", {"pin": secret, "count": before})
    assert done["cause"] == "completed"
    logged = [text for text in texts(done, None) if "ValueError" in text]
    assert [text.split(":")[0].split(" ")[0] for text in logged] == ["The", "The", "run_parallel"]
    assert not [text for text in logged if "sword" in text]
