"""What is quoted of an engine's answer: what it says of the error, without what stands behind a secret's name."""

import json

import pytest

from supervisor.engine.error_texts import explanation_of
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
