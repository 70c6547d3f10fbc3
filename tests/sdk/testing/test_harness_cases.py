"""`@fb_test_case` and the plugin, in pytest runs of their own."""

import subprocess
import sys
from pathlib import Path

import pytest
from harness_support import block_module

from tests.patience import PATIENCE_SECONDS

pytest_plugins = ["pytester"]


def collect(
    pytester: pytest.Pytester, name: str, cases: str, body: str = "return ok(params.text)", **kw: str
) -> None:
    pytester.makepyfile(**{name: block_module(name, body, cases=cases, **kw)})


PASSING = """
@fb_test_case("returns the text", Params(text="a"), None, expected_result_data=Data(text="a"))
@fb_test_case("Returns -- the text!", {"text": "a"}, create_workflow_context("global"),
              assertions=[lambda result: result.data.text == "a", lambda result: type(result.data) is Data])
@fb_test_case("returns the text", Params(text="b"), None, expected_result_data={"text": "b"})
"""


def test_each_case_is_a_test_of_the_block_s_module(author_dir: pytest.Pytester) -> None:
    collect(author_dir, "passing_cases", PASSING)
    result = author_dir.runpytest("-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines_random(
        [
            "*passing_cases.py::test_sample_returns_the_text PASSED*",
            "*passing_cases.py::test_sample_returns_the_text_2 PASSED*",
            "*passing_cases.py::test_sample_returns_the_text_3 PASSED*",
        ]
    )


def test_cases_have_a_marker_to_choose_them_by(author_dir: pytest.Pytester) -> None:
    collect(author_dir, "marked_cases", PASSING)
    author_dir.runpytest("-m", "not function_block").assert_outcomes(deselected=3)
    shown = author_dir.runpytest("--markers").stdout.str()
    assert all(f"@pytest.mark.{name}:" in shown for name in ("function_block", "sdk", "testing"))


FAILING = {
    "unexpected_data": (
        'expected_result_data={"text": "z"}',
        "return ok()",
        ["*- expected, + found*", '*-   "text": "z"*', '*+   "text": "fine"*'],
    ),
    "number_for_truth": (
        'expected_result_data={"text": True}',
        "data = ok().data; data.text = 1; return FunctionBlockResult(success=True, message='x', data=data)",
        ['*-   "text": true*', '*+   "text": 1*'],
    ),
    "unexpected_success": (
        "succeeds=False",
        "return ok()",
        ["*The block succeeded, and was expected to fail*"],
    ),
    "false_assertion": (
        "assertions=[lambda result: result.data.text.startswith('z')]",
        "return ok()",
        ["*Assertion 1, <lambda> (*false_assertion.py:*) returned False*"],
    ),
    "unreadable_data": (
        "assertions=[lambda result: True]",
        "data = ok().data; data.text = 5; return FunctionBlockResult(success=True, message='x', data=data)",
        ["*can't be read back as Data (text:*"],
    ),
    "raises": (
        "",
        "self.logger.info('a log line'); print('a print'); raise RuntimeError('no luck')",
        ["*raised RuntimeError: no luck*", "*INFO: a log line*", "*Traceback (most*", "*a print*"],
    ),
    "hangs": (
        "max_seconds=3, grace_seconds=0",  # a machine may need a second to come to the line that hangs
        "time.sleep(600)",
        [
            "*did not return a result*",
            "*time_limit (SIGKILL from the worker*",
            "*the limit of this case: if it needs longer, raise max_seconds at hangs.py:17.",
            '*hangs.py", line * in run*',
        ],
    ),
    "exits_when_failure_is_expected": (
        "succeeds=False",
        "os._exit(7)",
        ["*did not return a result*", "*exited (exit code 7*"],
    ),
}


def test_a_case_fails_with_all_that_tells_why(author_dir: pytest.Pytester) -> None:
    for name, (arguments, body, _) in FAILING.items():
        collect(author_dir, name, f'@fb_test_case("{name}", Params(), None, {arguments})', body)
    result = author_dir.runpytest()
    result.assert_outcomes(failed=len(FAILING))
    for name, (_, _, lines) in FAILING.items():
        result.stdout.fnmatch_lines([f"Case '{name}' ({name}.py:17): *"])
        result.stdout.fnmatch_lines(lines)
    assert "--max-job-seconds" not in result.stdout.str()
    # Only what the author wrote: no line of the harness's own source.
    assert "sdk/testing" not in result.stdout.str()


def test_a_limit_that_is_not_the_case_s_is_not_said_to_be(author_dir: pytest.Pytester) -> None:
    case = '@fb_test_case("hangs", Params(), None, max_seconds=5, grace_seconds=0)'
    collect(author_dir, "not_its_limit", case, "await asyncio.sleep(9)", registration="max_seconds=0.3")
    result = author_dir.runpytest()
    result.stdout.fnmatch_lines(["*0.3 s. If it needs longer, raise max_seconds in its registration.*"])
    result.stdout.no_fnmatch_line("*limit of this case*")


def test_cases_of_one_name_are_numbered_as_they_are_read(author_dir: pytest.Pytester) -> None:
    cases = "".join(
        f'@fb_test_case("{description}", {{"text": "{text}"}}, None, expected_result_data={{"text": "no"}})\n'
        for text, description in (("top", "same"), ("middle", "same!"), ("other", "same 2"), ("low", "same"))
    )
    collect(author_dir, "numbered", cases, "print('ran', params.text); return ok()")
    result = author_dir.runpytest("-v")
    names = {"test_sample_same": "top", "test_sample_same_2": "middle", "test_sample_same_2_2": "other"}
    for line, (name, text) in enumerate(({**names, "test_sample_same_3": "low"}).items(), start=17):
        result.stdout.fnmatch_lines(
            [f"*_ {name} _*", f"Case 'same*' (numbered.py:{line}): *", f"*ran {text}"]
        )
    result.assert_outcomes(failed=4)


def test_no_case_takes_the_place_of_another_class_s_or_of_the_author_s_own_test(
    author_dir: pytest.Pytester,
) -> None:
    cases = '@fb_test_case("v2 works", {"text": "fine"}, None, expected_result_data={"text": "no"})\n'
    collect(author_dir, "one_name", cases)
    module = author_dir.path / "one_name.py"
    above, first = module.read_text().split("@fb_test_case(", 1)
    second = (
        first.replace("class Sample", "class Sample_v2")
        .replace("v2 works", "works")
        .replace('"no"', '"fine"')
    )
    second = second.replace('name="one_name"', 'name="second_of_one_name"')
    own = "def test_sample_v2_works_2():\n    assert True\n\n\n"
    module.write_text(f"{above}{own}@fb_test_case({first}\n\n@fb_test_case({second}")
    result = author_dir.runpytest("-v")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines_random(
        [
            "*::test_sample_v2_works FAILED*",
            "*::test_sample_v2_works_2 PASSED*",
            "*::test_sample_v2_works_3 PASSED*",
        ]
    )


def test_a_module_that_is_imported_again_has_the_cases_of_its_text_now(author_dir: pytest.Pytester) -> None:
    collect(author_dir, "read_again", '@fb_test_case("one", {}, None)\n@fb_test_case("two", {}, None)\n')
    changed = (author_dir.path / "read_again.py").read_text().replace('"two"', '"three"')
    author_dir.makepyfile(
        test_reload=f"""
            import importlib
            import pathlib
            import sys

            def test_reload(monkeypatch):
                monkeypatch.setattr(sys, "dont_write_bytecode", True)
                monkeypatch.syspath_prepend(".")
                import read_again
                names = lambda: sorted(name for name in vars(read_again) if name.startswith("test_"))
                assert names() == ["test_sample_one", "test_sample_two"]
                pathlib.Path("read_again.py").write_text({changed!r})
                importlib.reload(read_again)
                assert names() == ["test_sample_one", "test_sample_three"]
        """
    )
    author_dir.runpytest("test_reload.py").assert_outcomes(passed=1)


def test_an_expected_failure_passes(author_dir: pytest.Pytester) -> None:
    case = '@fb_test_case("fails", Params(), None, succeeds=False, assertions=[lambda r: r.message == "No"])'
    collect(author_dir, "expected_failure", case, "return FunctionBlockResult(success=False, message='No')")
    author_dir.runpytest().assert_outcomes(passed=1)


def test_an_assertion_may_assert(author_dir: pytest.Pytester) -> None:
    cases = """
def check(result):
    assert result.data.text == "z"
    return True

@fb_test_case("checks", Params(), None, assertions=[check])
"""
    collect(author_dir, "asserts", cases, "print('seen by the block'); return ok()")
    result = author_dir.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines_random(
        ['*assert result.data.text == "z"*', "*in assertion 1, check (*asserts.py:*", "*seen by the block*"]
    )
    assert "sdk/testing" not in result.stdout.str()


def test_a_case_finds_its_context_untouched_when_it_runs_again(author_dir: pytest.Pytester) -> None:
    cases = """
CONTEXT = create_workflow_context("device", devices=[{"id": 1, "vendor": "before"}])

@fb_test_case("first", Params(), CONTEXT, expected_result_data={"text": "before"})
@fb_test_case("second", Params(), CONTEXT, expected_result_data={"text": "before"})
"""
    body = "seen = context.device.vendor; context.device.vendor = 'after'; return ok(seen)"
    collect(author_dir, "untouched", cases, body, run_on="device")
    author_dir.runpytest().assert_outcomes(passed=2)


@pytest.mark.parametrize("import_mode", ["prepend", "importlib"])
def test_a_block_in_a_package_finds_its_neighbours(author_dir: pytest.Pytester, import_mode: str) -> None:
    package = f"pack_{import_mode}"
    name = f"packed_{import_mode}"
    author_dir.mkpydir(package)
    author_dir.mkpydir(f"{package}/inner")
    (author_dir.path / package / "words.py").write_text("WORD = 'neighbour'\n")
    imported = "from ..words import WORD" if import_mode == "prepend" else "from inner_words import WORD"
    (author_dir.path / package / "inner" / "inner_words.py").write_text("WORD = 'neighbour'\n")
    case = (
        f'{imported}\n@fb_test_case("packed", Params(), None, expected_result_data={{"text": "neighbour"}})'
    )
    source = block_module(name, "return ok(WORD)", cases=case)
    (author_dir.path / package / "inner" / f"{name}.py").write_text(source)
    if import_mode == "importlib":
        author_dir.makeconftest(f"import sys; sys.path.append({str(author_dir.path / package / 'inner')!r})")
    result = author_dir.runpytest(f"--import-mode={import_mode}", package)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("top_has_init", [True, False], ids=["a package above", "none above"])
def test_a_block_below_directories_without_an_init_runs_under_its_full_name(
    author_dir: pytest.Pytester, top_has_init: bool
) -> None:
    top = f"region_{top_has_init}".lower()
    folder = author_dir.mkdir(top) / "site"
    folder.mkdir()
    if top_has_init:
        (folder.parent / "__init__.py").touch()
    (folder.parent / "words.py").write_text("WORD = 'neighbour'\n")
    source = block_module(f"in_{top}", "return ok(WORD)", cases="from ..words import WORD")
    (folder / "vlans.py").write_text(source)
    author_dir.makepyfile(
        test_vlans=f"""
            from {top}.site.vlans import Sample

            def test_it(block_runner):
                block_runner.run(Sample).assert_succeeded({{"text": "neighbour"}})
        """
    )
    author_dir.runpytest("test_vlans.py").assert_outcomes(passed=1)


def test_an_author_s_package_may_be_called_as_one_of_ours(author_dir: pytest.Pytester) -> None:
    author_dir.mkpydir("blocks")
    case = '@fb_test_case("mine", Params(text="a"), None, expected_result_data={"text": "a"})'
    (author_dir.path / "blocks" / "mine.py").write_text(block_module("mine", cases=case))
    author_dir.plugins.clear()
    author_dir.runpytest_subprocess("blocks").assert_outcomes(passed=1)


def test_cases_stand_below_or_above_the_registration(author_dir: pytest.Pytester) -> None:
    source = block_module("below", "return ok()").replace(
        "class Sample", '@fb_test_case("below", Params(), None)\nclass Sample'
    )
    author_dir.makepyfile(below=source)
    author_dir.runpytest().assert_outcomes(passed=1)


def test_a_block_that_is_not_registered_is_an_error_that_says_so(author_dir: pytest.Pytester) -> None:
    source = block_module("gone", cases='@fb_test_case("gone", Params(), None)')
    start = source.index("@register_function_block")
    author_dir.makepyfile(gone=source[:start] + source[source.index("class Sample") :])
    result = author_dir.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["Case 'gone' (gone.py:17): gone.Sample is not registered.*"])
    assert "def " not in result.stdout.str(), "one sentence, and no source of ours"


def test_a_run_of_what_is_not_registered_or_of_an_unknown_level_shows_the_test_and_no_source_of_ours(
    author_dir: pytest.Pytester,
) -> None:
    author_dir.makepyfile(
        """
        from sdk import FunctionBlock
        from sdk.testing import BlockOutcome

        class Gone(FunctionBlock): ...

        def test_run(block_runner):
            block_runner.acquire(Gone, {})

        def test_level():
            BlockOutcome(success=True, cause="completed", message="").assert_logged("x", level="WARNNN")
        """
    )
    result = author_dir.runpytest()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*BlockNotFoundError: *Gone is not registered.*"])
    result.stdout.fnmatch_lines(["*ValueError: There is no level 'WARNNN'. Choose from: DEBUG, INFO, *"])
    assert "sdk/testing" not in result.stdout.str()


def test_the_fixture_serves_tests_with_and_without_a_loop(author_dir: pytest.Pytester) -> None:
    author_dir.makepyfile(
        fixtures="""
        import pytest
        from blocks.echo import Echo

        def test_sync(block_runner):
            assert block_runner.run(Echo, {"text": "x"}).data == {"text": "x"}

        @pytest.mark.asyncio
        async def test_async(block_runner):
            assert (await block_runner.run_async(Echo, {"text": "x"})).data == {"text": "x"}
        """
    )
    author_dir.plugins.clear()  # with a server of its own, to see it started and ended
    author_dir.runpytest_subprocess().assert_outcomes(passed=2)


def test_a_timeout_of_pytest_ends_the_run_and_the_next_test_works(author_dir: pytest.Pytester) -> None:
    author_dir.makepyfile(
        timeouts="""
        import pytest
        from blocks.echo import Echo

        @pytest.mark.timeout(4, method="signal")
        def test_hangs(block_runner):
            block_runner.run("hang_sleep", source="blocks.testing")

        def test_works(block_runner):
            assert block_runner.run(Echo, {"text": "x"}).success
        """
    )
    author_dir.runpytest().assert_outcomes(failed=1, passed=1)


def test_without_pytest_a_decorated_block_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "lonely.py").write_text(
        block_module("lonely", cases='@fb_test_case("alone", Params(), None)')
    )
    program = (
        f"import sys; sys.modules['pytest'] = None; sys.path.insert(0, {str(tmp_path)!r}); import lonely\n"
        "assert lonely.Sample.registration.name == 'lonely'\n"
        "assert [name for name in vars(lonely) if name.startswith('test_')] == []"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_SECONDS)


def test_a_worker_that_imports_a_decorated_block_does_not_import_pytest(tmp_path: Path) -> None:
    (tmp_path / "light.py").write_text(block_module("light", cases='@fb_test_case("light", Params(), None)'))
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import light\n"
        "assert 'pytest' not in sys.modules; assert not hasattr(light, 'test_sample_light')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_SECONDS)


def test_the_plugin_brings_nothing_into_a_run_that_does_not_need_it(author_dir: pytest.Pytester) -> None:
    author_dir.makepyfile(
        unrelated="""
        import sys

        def test_it():
            loaded = [name for name in sys.modules if name.startswith(("sdk.testing.", "sdk.devengine", "supervisor"))]
            assert loaded == ["sdk.testing.plugin"]
        """
    )
    author_dir.plugins.clear()
    author_dir.runpytest_subprocess().assert_outcomes(passed=1)
