"""Which modules of a directory are imported, by their texts alone: what registers, and how a name leads there."""

import re
from textwrap import dedent
from typing import Any

import pytest

from jobrunner.discovery.judgement import Judgement, judge
from jobrunner.discovery.mentions import worth_parsing
from jobrunner.discovery.top_level import Text

BLOCK = "class Echo(Base): ..."
Q = "from company import company_block as b"
COMPANY = """
from sdk import Registration, register_function_block

def company_block(name, **more):
    def decorate(cls):
        return register_function_block(Registration(name=name, package="acme", **more))(cls)
    return decorate
"""


def texts(files: dict[str, str | bytes]) -> dict[str, Text]:
    found: dict[str, Text] = {}
    for path, source in files.items():
        is_package = path.endswith("/__init__") or path == "__init__"
        name = path.removesuffix("/__init__").replace("/", ".")
        content = source if isinstance(source, bytes) else dedent(source).encode()
        found[name] = Text(name, content, is_package, f"{path}.py")
    return found


def judged(files: dict[str, str | bytes], **options: Any) -> dict[str, Judgement]:
    given = texts(files)
    by_words, all_parsed = judge(given, (), **options), judge(given, None, **options)
    # To leave out what the words of the imports rule out must never change what is imported.
    assert {name: each.is_imported for name, each in by_words.items()} == {
        name: each.is_imported for name, each in all_parsed.items()
    }
    return by_words


def imported(files: dict[str, str | bytes]) -> set[str]:
    return {name for name, judgement in judged(files).items() if judgement.is_imported}


@pytest.mark.parametrize(
    "text",
    [
        "from sdk import register_function_block\n@register_function_block(None)\nclass A: ...",
        "import sdk\n@sdk.register_function_block(None)\nclass A: ...",
        "import sdk.decorator as d\n@d.register_function_block(None)\nclass A: ...",
        "from sdk import *\n@register_function_block(None)\nclass A: ...",
        "from sdk import register_function_block as block\n@block(None)\nclass A: ...",
        "from neops_worker_sdk.registry.decorator import register_function_block as r\n@r(None)\nclass A: ...",
        "from neops_worker_sdk.connection.registry import register_connection_plugin as r\n@r()\nclass A: ...",
        "from neops_worker_sdk.connection.types import ConnectionPlugin\nclass A(ConnectionPlugin[int, str]): ...",
        "from sdk.testing import fb_test_case as t\nfrom echo import Echo\n@t('x', {}, None)\nclass A(Echo): ...",
        "from sdk import FunctionBlock\nclass A(FunctionBlock[int, str]): ...",
        "from sdk import register_function_block\nclass A: ...\nregister_function_block(None)(A)",
        "from sdk import register_function_block\nclass A: ...\nB = register_function_block(None)(A)",
        "from sdk import register_function_block\nblock = register_function_block(None)\n@block\nclass A: ...",
        "from sdk import register_function_block\nfor n in 'ab':\n    register_function_block(n)(make(n))",
        "from sdk import register_function_block as r\nif True:\n    @r(None)\n    class A: ...",
        "try:\n    from sdk import register_function_block as r\nexcept OSError:\n    r = None\n@r(None)\nclass A: ...",
        "from sdk import register_function_block as r\nclass Outer:\n    @r(None)\n    class A: ...",
        "from neops_worker_sdk.registry.registry import registry\nclass A: ...\nregistry.register(A, None)",
        "from sdk \\\n  import register_function_block as r\n@r(None)\nclass A: ...",
        "import functools, sdk\nb = functools.partial(sdk.register_function_block)\n@b(None)\nclass A: ...",
    ],
)
def test_a_module_that_registers_by_the_sdk_is_imported(text: str) -> None:
    assert imported({"blocks": text}) == {"blocks"}


@pytest.mark.parametrize(
    "text",
    [
        "print('pushed config to 400 routers')",
        "from netmiko import ConnectHandler\nConnectHandler(host='router').send_config_set(['reload'])",
        # It uses the SDK's testing functions at its top level, and in functions.
        "from sdk.testing import BlockRunner\nBlockRunner('blocks').run('acme/echo', {})\n",
        "from sdk.testing import create_workflow_context as c\ndef main():\n    return c(devices=[])\nmain()",
        "from sdk.testing import fb_test_case\ndef main():\n    @fb_test_case('x', {}, None)\n    class A: ...\nmain()",
        "from sdk import register_function_block\ndef main():\n    register_function_block(None)(object)\nmain()",
        "from sdk import register_function_block as r\nif __name__ == '__main__':\n    @r(None)\n    class A: ...",
        "from sdk import FunctionBlockParams\nclass Params(FunctionBlockParams): ...\npush()",
        "from sdk import register_function_block\nhelp(register_function_block)",
        "import functools\n@functools.cache\ndef push(): ...\npush()",
        "s = __import__('s' + 'dk')\n@s.register_function_block(None)\nclass A: ...",
        "import importlib\nr = getattr(importlib.import_module('sdk'), 'register' + '_block')\n@r(0)\nclass A: ...",
        "@register_function_block(None)\nclass A: ...",
        "from mine import register_function_block\n@register_function_block(None)\nclass A: ...",
        "from .sdk import register_function_block\n@register_function_block(None)\nclass A: ...",
        "",
        "\n",
        "# from sdk import register_function_block",
    ],
)
def test_a_module_that_registers_nothing_at_its_top_level_is_left_out_with_a_reason(text: str) -> None:
    (judgement,) = judged({"script": text}).values()
    assert not judgement.is_imported
    assert judgement.error is None
    assert re.search(r"^(it is empty|it uses the SDK|nothing at its top level) ?", judgement.reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import sdk\nprint(sdk)", "it uses the SDK"),
        ("from sdk.results import x", "it uses the SDK"),
        ("def later():\n  import sdk", "it uses the SDK"),
        ("print('no import at all')", "nothing at its top level"),
        ("import json, other\nfrom . import sibling", "nothing at its top level"),
    ],
)
def test_whether_a_module_that_is_left_out_uses_the_sdk_is_told(text: str, reason: str) -> None:
    (judgement,) = judged({"script": text}).values()
    assert judgement.reason.startswith(reason)


@pytest.mark.parametrize(
    ("call", "imports"), [("add(A)", True), ("add(number)", False), ("add(base.A)", True), ("add()", False)]
)
def test_a_call_that_gets_a_class_registers_it(call: str, imports: bool) -> None:
    files: dict[str, str | bytes] = {
        "company": "from sdk import register_function_block as r\ndef add(cls):\n  r(0)(cls)",
        "base": "class A: ...",
        "echo": f"import base\nfrom company import add\nclass A: ...\nnumber = 1\n{call}",
    }
    assert imported(files) == ({"echo"} if imports else set())


@pytest.mark.parametrize("guard", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_what_only_type_checkers_see_registers_nothing(guard: str) -> None:
    text = f"import typing\nfrom typing import TYPE_CHECKING\nif {guard}:\n  from sdk import register_function_block\n"
    assert imported({"script": f"{text}  @register_function_block(None)\n  class A: ..."}) == set()


def test_a_relative_import_may_lead_to_the_top_and_no_further() -> None:
    files: dict[str, str | bytes] = {
        "company": COMPANY,
        "pkg/__init__": "",
        "pkg/echo": f"from ..company import company_block as b\n@b(1)\n{BLOCK}",
        "pkg/beyond": f"from ...company import company_block as b\n@b(1)\n{BLOCK}",
    }
    assert imported(files) == {"pkg.echo"}


def test_a_decorator_of_the_company_is_followed_to_the_sdk() -> None:
    assert imported(
        {
            "company": COMPANY,
            "echo": f"from company import company_block\n@company_block('echo')\n{BLOCK}",
            "script": "from company import company_block\npush()",
        }
    ) == {"echo"}


@pytest.mark.parametrize(
    ("files", "block"),
    [
        ({"a": "from company import company_block as b"}, "from a import b as c\n@c('x')\nclass A: ..."),
        ({"a": "import company as b"}, "import a\n@a.b.company_block('x')\nclass A: ..."),
        ({"a": "from company import *"}, "from a import *\n@company_block('x')\nclass A: ..."),
        ({"a": "from b import *", "b": "from company import *"}, "import a as z\n@z.company_block('x')\nclass A: ..."),
        ({"a": "import company\nb = company.company_block"}, "import a\n@a.b('x')\nclass A: ..."),
        ({"p/__init__": "from .q import b", "p/q": Q}, "from p import b\n@b(1)\nclass A: ..."),
        ({"p/__init__": "", "p/q": Q}, "from p import q\n@q.b(1)\nclass A: ..."),
        ({"p/__init__": "", "p/q": Q}, "import p.q\n@p.q.b(1)\nclass A: ..."),
        ({"p/__init__": "", "p/q": Q}, "from p import (\n  q,\n)\n@q.b(1)\nclass A: ..."),
        ({"a": f"class Company:\n  def block(self, n):\n    {Q}\n    return b(n)\n\nit = Company()"},
         "from a import it\n@it.block(1)\nclass A: ..."),
    ],
)  # fmt: skip
def test_a_name_is_followed_through_whatever_hands_it_on(files: dict[str, Any], block: str) -> None:
    assert "block" in imported({"company": COMPANY, **files, "block": block})


@pytest.mark.parametrize("importing", ["from .company import company_block", "from . import company"])
def test_relative_imports_are_followed(importing: str) -> None:
    name = "company.company_block" if importing.endswith("company") else "company_block"
    files: dict[str, str | bytes] = {
        "pkg/__init__": "",
        "pkg/company": COMPANY,
        "pkg/echo": f"{importing}\n@{name}('echo')\n{BLOCK}",
        "pkg/below/__init__": "",
        "pkg/below/deep": "from ..company import company_block\n@company_block(1)\nclass A: ...",
        "pkg/below/script": "from .. import company\nprint(company)",
    }
    assert imported(files) == {"pkg.echo", "pkg.below.deep"}


def test_a_package_that_registers_is_imported_itself() -> None:
    files: dict[str, str | bytes] = {
        "company": COMPANY,
        "pkg/__init__": f"import company\n@company.company_block(1)\n{BLOCK}",
    }
    assert imported(files) == {"pkg"}


@pytest.mark.parametrize(
    "base",
    [
        "from sdk import FunctionBlock\nclass CompanyBlock(FunctionBlock): ...",
        "from sdk import FunctionBlock\nclass Below(FunctionBlock[int, int]): ...\nclass CompanyBlock(Below): ...",
        "from sdk import FunctionBlock\nCompanyBlock = FunctionBlock[int, int]",
        "import lower\nclass CompanyBlock(lower.Lower): ...",
        "from sdk import register_function_block as r\nclass CompanyBlock:\n  def __init_subclass__(c):\n    r(0)(c)",
    ],
)
def test_a_block_on_a_base_class_of_the_company_is_imported(base: str) -> None:
    files: dict[str, str | bytes] = {
        "lower": "import sdk\nclass Lower(sdk.FunctionBlock): ...",
        "company": base,
        "echo": "import company\nclass Echo(company.CompanyBlock): ...",
        "script": "from company import CompanyBlock\nprint(CompanyBlock)",
    }
    assert {"echo"} <= imported(files)
    assert "script" not in imported(files)


@pytest.mark.parametrize("bases", ["Installed, Company", "Company, Installed", "Company, Company, Installed"])
def test_a_base_class_that_leads_nowhere_hides_no_other(bases: str) -> None:
    files: dict[str, str | bytes] = {
        "company": "from sdk import FunctionBlock\nclass Company(FunctionBlock): ...",
        "echo": f"from company import Company\nfrom other import Installed\nclass Echo({bases}): ...",
    }
    assert "echo" in imported(files)


def test_modules_that_import_each_other_are_followed_to_an_end() -> None:
    files: dict[str, str | bytes] = {
        "pkg/__init__": "from .a import *\nfrom .b import *",
        "pkg/a": "from .b import *\nfrom . import b\nround = b.round",
        "pkg/b": "from .a import *\nfrom . import a\nround = a.round",
        "pkg/block": "from pkg import company_block\n@company_block(1)\nclass A: ...",
        "pkg/lost": "from pkg.a import round\n@round(1)\nclass A: ...\nclass B(round): ...",
    }
    assert imported(files) == set()
    assert imported({**files, "pkg/b": f"from .a import *\n{COMPANY}"}) == {"pkg.block"}


@pytest.mark.parametrize(
    "source",
    ["def broken(:\n", b"text = '\xff'\n", b"a = 1\0", "(" * 5000 + ")" * 5000, "return ''' never ends"],
)
@pytest.mark.parametrize("first", ["", "import sdk\n"])
def test_a_text_that_can_t_be_parsed_is_an_error_and_never_imported(source: str | bytes, first: str) -> None:
    content = first.encode() + (source if isinstance(source, bytes) else source.encode())
    (judgement,) = judged({"broken": content}).values()
    assert not judgement.is_imported
    assert isinstance(judgement.error, SyntaxError | ValueError | MemoryError | RecursionError)


def test_beyond_a_size_only_what_may_register_is_parsed() -> None:
    files: dict[str, str | bytes] = {
        "a": "def broken(:",
        "b": "import sdk\ndef broken(:",
        "c": "from b import x\ndef broken(:",
    }
    judgements = judge(texts(files), (), spare_bytes=5)
    assert {name for name, each in judgements.items() if each.error} == {"b", "c"}


def test_a_decorator_of_an_installed_package_is_named_in_the_reason() -> None:
    text = "import sdk\nfrom acme_base.blocks import block\n@block('x')\nclass Echo: ..."
    (judgement,) = judged({"echo": text}).values()
    assert "block, which decorates Echo, comes from the installed package acme_base" in judgement.reason


def test_a_decorator_is_followed_into_the_texts_that_are_known_elsewhere() -> None:
    further = texts(
        {
            "acme_base/__init__": "from .blocks import block",
            "acme_base/blocks": f"{COMPANY}\nblock = company_block",
        }
    )
    given = texts({"echo": "from acme_base import block\n@block('x')\nclass Echo: ..."})
    for seeds in (["acme_base"], None):
        assert judge(given, seeds, further.get)["echo"].is_imported


def test_an_invalid_escape_in_a_script_is_no_warning() -> None:
    judged({"script": "import sdk\nx = '\\d'"})


def test_only_modules_whose_imports_lead_to_the_sdk_are_worth_parsing() -> None:
    given = texts(
        {
            "company": "import sdk",
            "block": "from company import b",
            "chain": "import block",
            "unusual": "from . import (\n  x\n)",
            "beside": "from . import company",
            "beside_others": "from . import other",
            "pkg.block": "from company import b",
            "pkg.beside": "from . import b",
            "script": "import netmiko\nprint('sdk')",
            "other": "from json import *",
        }
    )
    assert worth_parsing(given, {"sdk"}) == {
        *("company", "block", "chain", "unusual", "beside", "pkg.block", "pkg.beside")
    }
