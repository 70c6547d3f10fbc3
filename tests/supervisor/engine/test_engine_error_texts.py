"""What is quoted of an engine's answer: what it says of the error, without what stands behind a secret's name."""

import json
import socket

import pytest

from supervisor.engine.error_texts import cant_connect, explanation_of
from supervisor.engine.http import Answer
from supervisor.engine.own_secrets import OwnSecrets
from supervisor.errors import EngineError


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"message": "password=swordfish was refused"}, "password=*** was refused"),
        ({"message": ["data.x is no UUID", {"token": "swordfish"}]}, "data.x is no UUID"),
        ({"error": 'got {"snmpCommunity": "swordfish"}'}, "got"),
    ],
)
def test_a_message_of_the_engine_is_shown_without_the_secrets_it_quotes(body: object, shown: str) -> None:
    text = explanation_of(json.dumps(body).encode(), OwnSecrets(None))
    assert shown in text
    assert "swordfish" not in text
    assert "***" in text


def test_neither_does_what_is_no_json_tell_a_secret() -> None:
    page = b"<html><password>x</password> proxy of http://me:swordfish@proxy:8080 said no"
    with pytest.raises(EngineError) as caught:
        Answer(200, page).json("the poll")
    assert "proxy of" in str(caught.value)
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "error", "said"),
    [
        ("engine", ConnectionRefusedError(111, "Connect call failed"), "engine:3030: Connection refused"),
        ("::1", ConnectionRefusedError(111, "Connect call failed"), "[::1]:3030: Connection refused"),
        (
            "localhost",  # as asyncio says it of two addresses
            OSError(
                "Multiple exceptions: [Errno 111] Connect call failed ('::1', 3030, 0, 0), "
                "[Errno 111] Connect call failed ('127.0.0.1', 3030)"
            ),
            "localhost:3030: Connection refused",
        ),
        (
            "engine",
            OSError(
                "Multiple exceptions: [Errno 101] Connect call failed ('2001:db8::1', 3030, 0, 0), "
                "[Errno 111] Connect call failed ('192.0.2.1', 3030)"
            ),
            "engine:3030: Network is unreachable, Connection refused",
        ),
        (
            "engine",
            socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
            "engine:3030: Temporary failure in name resolution",
        ),
        ("engine", OSError("no more of them"), "engine:3030: no more of them"),
    ],
)
def test_why_nobody_is_reached_is_said_in_the_words_of_the_system(
    host: str, error: OSError, said: str
) -> None:
    assert cant_connect(host, 3030, error) == f"can't connect to {said}"
