"""Templates in the alias: the same texts as the package makes of them."""

import importlib
from datetime import datetime
from typing import Any

import pytest

from sdk.compat.finder import install_alias

install_alias()


def of(name: str) -> Any:
    """A module of the alias."""
    return importlib.import_module(f"neops_worker_sdk.connection.utils.jinja{name}")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("a {{ x }}\n{% if x %}\nb\n{% endif %}\nc\n", "a 1\nb\nc"),
        ("{% for i in [1, 2, 3] %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", "1"),
        (
            "{% for i in [1, 2] %}{% try %}{{ 2 / (i - 1) }}{% except %}e{{ i }}{% endtry %}{% endfor %}",
            "e12.0",
        ),
        ("{% try %}{% try %}{{ nope }}{% endtry %}a{% except %}b{% endtry %}", "a"),
        ("{% try %}x{{ 1 / 0 }}{% except %}y{% endtry %}", "y"),
        ("a{% comment %}{{ nope }}{% endcomment %}b", "ab"),
        ('a{% comment "reason" %}{{ nope }}{% endcomment %}b', "ab"),
        ("a{% comment x | upper %}{{ nope }}{% endcomment %}b", "ab"),
        ("[{{ a_set | json('json_dumps') }}]", "[]"),
        ("[{{ itself | json('json_dumps') }}]", "[]"),
        ("{{ now('Europe/Zurich').utcoffset() is none }}", "False"),
        (
            "{{ time | datetime('strftime', format='%Y') }} {{ time | datetime('strftime') }}",
            "2024 2024-01-02 03:04:05",
        ),
        ("{{ time | datetime('timedelta', days=1) }}", "2024-01-03 03:04:05"),
        ("{{ {'a': [1, none]} | json('json_dumps') }}", '{"a": [1, null]}'),
        ("{{ ('{\"a\": 7}' | json('json_loads')).a }}", "7"),
        ("{{ f(2) }} {{ 3 | g }}{% do rc.set_result('vlan', 7) %}", "4 4"),
    ],
)
def test_a_template_gives_what_the_package_makes_of_it(template: str, text: str) -> None:
    capabilities = of("").get_jinja_capabilities(["rc", "unknown"])
    itself: list[Any] = []
    itself.append(itself)
    rendered = of("").render_jinja_template(
        template,
        jinja_globals={"f": lambda x: x * 2},
        jinja_filters={"g": lambda x: x + 1},
        capabilities=capabilities,
        x=1,
        a_set={7},
        itself=itself,
        time=datetime(2024, 1, 2, 3, 4, 5),  # as blocks have it
    )
    assert rendered == text
    assert capabilities["rc"].results == ({"vlan": 7} if "set_result" in template else {})


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("{{ nope }}", "UndefinedError"),
        ("{{ x.__class__ }}", "SecurityError"),
        ("{{ x | datetime('nope') }}", "ValueError"),
        ("{{ x | json('json_dumps', indent=1) }}", "ValueError"),
    ],
)
def test_what_a_template_must_not_do_is_an_error(template: str, kind: str) -> None:
    with pytest.raises(Exception) as caught:  # jinja2's classes, which may not be there
        of("").render_jinja_template(template, x=1)
    assert type(caught.value).__name__ == kind


def test_a_capability_goes_before_a_variable_of_its_name_and_a_variable_before_a_global() -> None:
    render = of("").render_jinja_template
    assert (
        render("{{ rc }}{{ g }}", {"g": len}, capabilities={"rc": "capability"}, rc="v", g="v")
        == "capabilityv"
    )


def test_an_empty_text_for_what_is_no_json_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert of("").render_jinja_template("{{ x | json('json_dumps') }}", x={1}) == ""
    assert "makes an empty text of what is no JSON: Object of type set" in caplog.text


@pytest.mark.parametrize(
    "template", ["{% comment a b %}{% endcomment %}", "{% comment 1, 2 %}{% endcomment %}"]
)
def test_a_comment_has_one_reason(template: str) -> None:
    with pytest.raises(Exception, match="expected token 'end of statement block'"):
        of("").render_jinja_template(template)


def test_what_is_registered_is_there_for_every_template() -> None:
    registry = of(".registry")
    registry.register_jinja_filter("shout")(lambda text: text.upper())
    registry.register_jinja_global("seven")(lambda: 7)
    registry.register_jinja_capability("list")(list)
    try:
        assert of("").render_jinja_template("{{ 'a' | shout }}{{ seven() }}") == "A7"
        assert registry.get_jinja_capabilities(["list"]) == {"list": []}
    finally:
        del (
            registry.JINJA_FILTERS["shout"],
            registry.JINJA_GLOBALS["seven"],
            registry.JINJA_CAPABILITIES["list"],
        )
