"""Which values are secret, and masking them."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, Secret, SecretBytes, SecretStr, ValidationError

from jobrunner.protocol.caps import MESSAGE_CAP_CHARS
from jobrunner.protocol.masking import SecretNames, secrets_in
from jobrunner.protocol.masking.names import SECRET_NAME_PARTS as PARTS
from sdk import SENSITIVE, WorkflowContext
from sdk.entities import Device, DeviceEntity
from sdk.failure import text_of
from sdk.masking import (
    MASK,
    MAX_MESSAGE_LENGTH,
    Masking,
    hide_in_message,
    hiding,
    is_secret_name,
    start_learning,
    use_masking,
)
from sdk.masking import SECRET_NAME_PARTS as SDK_PARTS
from sdk.parsing.sensitive_paths import sensitive_paths
from sdk.sensitive import collect_secrets

OPTIONS = (
    '{"port": 2222, "password": "option-1", "jump_host": {"host": "10.9.0.1", "passphrase": "option-2"}}'
)


def test_the_secrets_inside_of_a_devices_connection_options_are_found_on_both_sides() -> None:
    device = {"id": 1, "connectionOptions": OPTIONS}
    assert set(secrets_in({"devices": [device]}, SecretNames())) == {"option-1", "option-2"}
    assert collect_secrets({"devices": [device]}) == {"option-1", "option-2"}
    assert collect_secrets(DeviceEntity.model_validate(device)) == {"option-1", "option-2"}


@pytest.mark.parametrize("text", ["{", "[]", "7", '"{"', "{" * 60_000, '{"a": ' * 5000, "no"])
def test_connection_options_that_are_no_object_hold_up_nothing(text: str) -> None:
    assert list(secrets_in({"connectionOptions": text}, SecretNames())) == []
    assert collect_secrets({"connectionOptions": text}) == frozenset()


class Login(BaseModel):
    user: str = "admin"
    password: str | None = "pass-1"
    marked: Annotated[str, Field(max_length=99), SENSITIVE] = "marked-1"
    many: Annotated[dict[str, list[str]], SENSITIVE] = {"a": ["many-1", "many-2"]}
    optional: Annotated[str, SENSITIVE] | None = "optional-1"
    inside: list[Annotated[str, SENSITIVE]] = Field(default=["inside-1"])
    wrapped: SecretStr = SecretStr("wrapped-1")
    raw: SecretBytes = SecretBytes(b"raw-1")
    typed: Secret[str] = Secret("typed-1")
    free: dict[str, Any] = {"apiKey": "free-1", "api-key": "free-2", "other": "shown"}


def test_marked_fields_secret_names_and_pydantic_secrets_are_found_at_any_depth() -> None:
    expected = {"pass-1", "marked-1", "many-1", "many-2", "optional-1", "inside-1"}
    expected |= {"wrapped-1", "raw-1", "typed-1", "free-1", "free-2"}
    assert collect_secrets(Login()) == expected
    assert collect_secrets({"logins": [(Login(),)]}) == expected


@pytest.mark.parametrize(
    "name", ["password", "enablePassword", "SNMP_SECRET", "auth-token", "api_key", "passphrase"]
)
def test_names_that_speak_of_a_secret_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("known", [is_secret_name, SecretNames().__contains__])
def test_pass_is_of_a_secret_as_the_last_part_of_a_name_only(known: Callable[[str], bool]) -> None:
    assert all(map(known, ["pass", "PASS", "user_pass", "login-pass", "userPass"]))
    assert not any(map(known, ["passed", "bypass", "pass_through", "compass", "test_passes"]))


def test_nulls_and_truth_values_are_no_secrets_and_numbers_are_as_they_are_printed() -> None:
    assert collect_secrets({"password": None, "token": 512, "secret": "ab", "pwd": True, "api_key": ""}) == {
        "512",
        "ab",
    }


def test_a_circle_and_any_depth_are_no_problem() -> None:
    circle: dict[str, Any] = {"password": "found"}
    circle["again"] = [circle]
    for _ in range(10_000):
        circle = {"deeper": circle}
    assert collect_secrets(circle) == {"found"}


@pytest.mark.parametrize("names", [("note", "password"), ("password", "note")])
def test_one_list_under_a_plain_and_a_secret_name_is_secret(names: tuple[str, str]) -> None:
    shared = ["swordfish", {"deeper": "hunter2"}]
    assert collect_secrets(dict.fromkeys(names, shared)) == {"swordfish", "hunter2"}
    assert collect_secrets([shared, {"token": shared}, shared]) == {"swordfish", "hunter2"}


def test_without_a_job_runner_values_are_masked_as_they_are() -> None:
    hide = hiding(frozenset({"swordfish", "swordfish-and-more", "short"}))
    assert hide("swordfish-and-more, swordfish, short") == f"{MASK}, {MASK}, short"


def test_who_runs_blocks_decides_how_secrets_are_masked_and_which_names_are_of_secrets() -> None:
    use_masking(
        Masking(lambda name: name == "odd", lambda secrets: lambda text, **_: f"{text} less {len(secrets)}")
    )
    try:
        assert hiding(frozenset({"a"}))("text") == "text less 1"
        assert collect_secrets({"odd": "found", "password": "not any more"}) == {"found"}
    finally:
        use_masking(Masking())


def test_the_sdk_and_the_engine_that_masks_know_the_same_names() -> None:
    assert tuple(part.replace("_", "") for part in PARTS) == SDK_PARTS


class Port(BaseModel):
    pin: Annotated[str, SENSITIVE]
    inner: "list[Port] | None" = None


class Site(BaseModel):
    key: Annotated[str, Field(alias="siteKey"), SENSITIVE]
    wrapped: SecretStr | None = None
    typed: list[Secret[str]] = []
    ports: list[Port]
    by_name: dict[str, Port] | None = None
    plain: str = ""


def test_the_paths_of_declared_secrets_are_those_of_the_json_that_is_read() -> None:
    assert set(sensitive_paths(Site)) == {
        ("siteKey",),
        ("wrapped",),
        ("typed", "*"),
        ("ports", "*", "pin"),
        ("by_name", "*", "pin"),
    }


def test_at_declared_paths_the_engine_that_masks_finds_the_values() -> None:
    given = {"siteKey": "one", "typed": ["two"], "ports": [{"pin": "three"}, {"pin": 44}], "plain": "no"}
    found = secrets_in(given, SecretNames(), sensitive_paths(Site))
    assert set(found) == {"one", "two", "three", "44"}


@pytest.fixture(autouse=True)
def as_in_a_job() -> None:
    start_learning()


def told_by(act: Callable[[], object]) -> list[str]:
    told: list[str] = []
    start_learning()
    use_masking(Masking(tell=told.append))
    try:
        act()
    finally:
        use_masking(Masking())
    return told


def test_a_secret_that_is_set_on_an_entity_is_told_once_and_hidden_from_then_on() -> None:
    device = DeviceEntity(id=1, password="from-the-engine")

    def act() -> None:
        device.password = device.password = "swordfish-7"
        device.hostname = "sw1"
        device.facts = {"a": [{"token": "in-a-dict"}], "b": "shown"}

    assert told_by(act) == ["swordfish-7", "in-a-dict"]
    assert hiding(frozenset())("swordfish-7 in-a-dict sw1 shown") == f"{MASK} {MASK} sw1 shown"
    start_learning()
    assert hiding(frozenset())("swordfish-7") == "swordfish-7"


def test_a_copy_that_takes_the_place_of_the_job_s_entity_tells_the_secrets_that_are_new_in_it() -> None:
    device = {"id": 1, "password": "from-the-engine", "facts": {"token": "also-from-the-engine"}}
    context = WorkflowContext.from_job({"devices": [device, {"id": 2}]}, "device", 1)
    assert context.device is not None
    copy = context.device.model_copy(update={"password": "swordfish-7"})

    def act() -> None:
        context.device = copy
        context.device = copy

    assert told_by(act) == ["swordfish-7"]
    assert hiding(frozenset())("now swordfish-7") == f"now {MASK}"


def test_a_value_that_an_entity_refuses_is_told_all_the_same() -> None:
    device = DeviceEntity(id=1)

    def act() -> None:
        with pytest.raises(ValidationError):
            device.password = ["swordfish-7"]  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]

    assert told_by(act) == ["swordfish-7"]


def test_the_secrets_of_an_entity_that_is_created_are_told() -> None:
    told = told_by(
        lambda: Device(
            hostname="a", password="swordfish-7", skip_if_identifier_exists=False, identifier_fields=[]
        )
    )
    assert told == ["swordfish-7"]


def test_a_text_without_end_is_cut_before_it_is_looked_through_and_leaves_no_piece_at_the_cut() -> None:
    looked: list[int] = []

    def hide(text: str, *, cut_after: bool = False) -> str:
        looked.append(len(text))
        return hidden(text, cut_after=cut_after)

    hidden = Masking().hiding(frozenset({"swordfish-7"}))
    use_masking(Masking(hiding=lambda _: hide))
    try:
        for longer in range(12):
            room = MAX_MESSAGE_LENGTH - 50 - longer
            message = hide_in_message("x" * room + "swordfish-7" + "y" * 50_000_000, frozenset())
            assert message.startswith("x" * room + ("sw"[:longer] if longer < 3 else MASK))
            assert "swo" not in message
            assert message.endswith("more characters cut]")
            assert len(message) <= MAX_MESSAGE_LENGTH
        assert "swo" not in text_of(ValueError(" " * (4 * 2000 - 5) + "swordfish-7" + "y" * 50_000_000), hide)
    finally:
        use_masking(Masking())
    assert max(looked) <= MAX_MESSAGE_LENGTH


def test_a_message_may_be_as_long_as_its_frame_takes() -> None:
    assert MAX_MESSAGE_LENGTH == MESSAGE_CAP_CHARS
