"""Masking by name: what stands behind a key is masked however short it is, and prose is not."""

import json

import pytest

from jobrunner.protocol.masking import MASK, Mask

MASKED = [
    ("password=abc", "password=***"),
    ("password: abc", "password: ***"),
    ("PIN: 12", "PIN: ***"),
    ('{"enablePassword": "abc", "x": 1}', '{"enablePassword": "***", "x": 1}'),
    ('{"password": "a\\"bc"} x', '{"password": "***"} x'),
    (json.dumps(json.dumps({"password": 'a"b', "x": 1})), '"{\\"password\\": \\"***\\", \\"x\\": 1}"'),
    ("Login(user='u', password='abc')", "Login(user='u', password='***')"),
    ("{'api-key': b'abc'}", "{'api-key': b'***'}"),
    ("('token', 'abc')", "('token', '***')"),
    ("<password>abc</password>", "<password>***</password>"),
    ("snmp-server community abc RO", "snmp-server community *** RO"),
    ("GET /?api_key=q1w2&x=1", "GET /?api_key=***&x=1"),
    ("Authorization: Bearer xx.yy", "Authorization: Bearer ***"),
    ("curl http://me:pw@host/", "curl http://me:***@host/"),
    (
        "1 validation error for P\npin\n  bad [input_value='abc']",
        "1 validation error for P\npin\n  bad [input_value='***']",
    ),
    ("password=1234 token=77", "password=*** token=***"),
    ('{"password": 1234, "max_tokens": 4096}', '{"password": ***, "max_tokens": 4096}'),
    ("{'token': 1234}", "{'token': ***}"),
    ("password: xyz, password:xyz", "password: ***, password:***"),
    ("Password: 1234567", "Password: ***"),
    ("Authorization: xyz", "Authorization: ***"),
    ("{'secret': ['a','b'], 'x': ['c']}", "{'secret': ['***','***'], 'x': ['c']}"),
    ('"tokens": ["q w",\n  "e"], 5', '"tokens": ["***",\n  "***"], 5'),
    ("password=[1234, 'a']", "password=[***, '***']"),
    (
        "<enable-password>x1</enable-password> <password>77</password>",
        "<enable-password>***</enable-password> <password>***</password>",
    ),
    ("pass=xyz user_pass='x' PASS='y'", "pass=*** user_pass='***' PASS='***'"),
    ('{"user":"u","pass":"xyz"}', '{"user":"u","pass":"***"}'),
    ("pin='12' ping=12", "pin='***' ping=12"),
]


@pytest.mark.parametrize(("text", "masked"), MASKED)
def test_the_value_behind_a_key_is_masked_however_short_it_is(text: str, masked: str) -> None:
    assert Mask(["abc", "12"], fields=["pin"])(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "password: wrong, try again",
        "abc is the name, 12 the number",
        "ping=12 abcpin=x",
        "login(password=self.password, token=token, secret=get_secret())",
        "max_tokens=4096",
        '"password": ""',
        "password must be 'long enough'",
        "token: ***",
        "password is required",
        "no password given",
        "P: password: missing; token: Input should be a valid string",
        "def login(password: str, token: Annotated[str, X], secret: int | None = None)",
        "password_length=8 password_length: 8, token_count: 5",
        "acme/rotate_password:1.0.0 raised",
        'login({"pin": params.pin})',
        "PASS: 13 pass=13 passed=yes bypass=on pass_through=yes compass=north",
        "password > 5 and secret>abcd",
        "a list of passwords: ten",
    ],
)
def test_prose_source_and_numbers_are_left_as_they_are(text: str) -> None:
    assert Mask(["abc", "12"], fields=["pin"])(text) == text


def test_a_field_of_a_record_is_masked_by_its_name_and_else_by_value() -> None:
    mask = Mask(["swordfish-7"], fields=["pin"])
    given = {"auth_token": "x", "pin": 1234, "user": "is swordfish-7", "port": 22, "password": None}
    seen = {name: mask.field(name, value) for name, value in given.items()}
    assert seen == {"auth_token": MASK, "pin": MASK, "user": f"is {MASK}", "port": 22, "password": None}


def test_a_value_that_is_never_closed_is_masked_to_the_end_of_its_line() -> None:
    assert Mask()("{'password': 'abc def\nnext line") == f"{{'password': '{MASK}\nnext line"
