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
    ("curl http://me:p@w@host/a@b", "curl http://me:***@host/a@b"),
    ("curl http://me@corp:pw@host/", "curl http://me@corp:***@host/"),
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
    ("password=[x, 1234, 5], [6]", "password=[x, ***, ***], [6]"),
    (
        '{\\"tokens\\": [\\"a\\", \\"b\\"], \\"x\\": [\\"c\\"]}',
        '{\\"tokens\\": [\\"***\\", \\"***\\"], \\"x\\": [\\"c\\"]}',
    ),
    ("{'password': 'ab\\\\', 'x': 'y'}", "{'password': '***', 'x': 'y'}"),
    (json.dumps({"password": 'a"', "x": "y"}), '{"password": "***", "x": "y"}'),
    (
        json.dumps(json.dumps({"password": "a\\", "x": "y"})),
        json.dumps(json.dumps({"password": MASK, "x": "y"})),
    ),
    (
        json.dumps(json.dumps({"password": 'a"', "x": "y"})),
        json.dumps(json.dumps({"password": MASK, "x": "y"})),
    ),
    ("<" + "x" * 59 + "password>xyz<", "<" + "x" * 59 + "password>***<"),
    ("password='x", "password='***"),
    ("{'token_value': xyz}", "{'token_value': ***}"),
    ('{\\"password\\": missing}', '{\\"password\\": ***}'),
    ('password: "it\'s" x', 'password: "***" x'),
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
        "community abcd-e or abcd",
        "max_tokens=[5, 6]",
        "token_value: xyz",
        "<" + "x" * 60 + "password>xyz<",
    ],
)
def test_prose_source_and_numbers_are_left_as_they_are(text: str) -> None:
    assert Mask(["abc", "12"], fields=["pin"])(text) == text


def test_a_field_of_a_record_is_masked_by_its_name_and_else_by_value() -> None:
    mask = Mask(["swordfish-7"], fields=["pin"])
    given = {"auth_token": "x", "pin": 1234, "user": "is swordfish-7", "port": 22, "password": None}
    seen = {name: mask.field(name, value) for name, value in given.items()}
    assert seen == {"auth_token": MASK, "pin": MASK, "user": f"is {MASK}", "port": 22, "password": None}


def test_a_number_in_a_field_that_is_a_secret_is_masked_under_any_name() -> None:
    mask = Mask(["48151623", "4815.5162"])
    given = {"code": 48151623, "rate": 4815.5162, "port": 4815, "up": True}
    seen = {name: mask.field(name, value) for name, value in given.items()}
    assert seen == {"code": MASK, "rate": MASK, "port": 4815, "up": True}


@pytest.mark.parametrize(
    "text",
    ["community zwq", "community zwqr", "community 'zwq", "pin (input_value='zwqr", "it: ('token', 'zwq"],
)
def test_the_piece_of_a_short_secret_is_masked_behind_its_key_where_a_text_was_cut(text: str) -> None:
    mask = Mask(["zwqrx", "1"], fields=["pin"])
    assert mask(text) == text
    assert mask(text, cut_after=True) == text.rstrip("zwqr") + MASK


@pytest.mark.parametrize("text", ["community zw", "community zwqx", "zwqr"])
def test_what_is_no_piece_of_a_short_secret_is_left_where_a_text_was_cut(text: str) -> None:
    assert Mask(["zwqrx", "1", "", "*****"])(text, cut_after=True) == text


def test_a_field_that_was_not_cut_keeps_what_only_looks_like_the_beginning_of_a_secret() -> None:
    mask = Mask(["swordfish-7"])
    assert mask.field("note", "it is swordf") == "it is swordf"
    assert mask.field("note", "it is swordf", cut_after=True) == f"it is {MASK}"


def test_of_two_short_secrets_that_begin_alike_the_longer_is_masked_whole() -> None:
    learning = Mask()
    for secret in ("ab", "ab-cd"):
        learning.learn(secret)
    for mask in (Mask(["ab", "ab-cd"]), learning):
        assert mask("community ab-cd, community ab-ce") == f"community {MASK}, community {MASK}-ce"


def test_of_a_short_secret_s_pieces_at_a_cut_the_longest_is_masked() -> None:
    assert Mask(["-----"])("community ----", cut_after=True) == f"community {MASK}"
    assert Mask(["1234567"])("community 123456", cut_after=True) == f"community {MASK}"


def test_stars_are_no_secret_behind_a_key_either() -> None:
    text = "community ***** and password '*****'"
    assert Mask(["*****"])(text) == text


def test_a_value_that_is_never_closed_is_masked_to_the_end_of_its_line() -> None:
    assert Mask()("{'password': 'abc def\nnext line") == f"{{'password': '{MASK}\nnext line"
