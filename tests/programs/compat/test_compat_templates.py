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
    rendered = of("").render_jinja_template(
        template,
        jinja_globals={"f": lambda x: x * 2},
        jinja_filters={"g": lambda x: x + 1},
        capabilities=capabilities,
        x=1,
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
