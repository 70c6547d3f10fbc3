"""`outcome.assert_...` on blocks that really hang, stall, crash or acquire, and what a failing case shows."""

from pathlib import Path

import pytest
from harness_support import block_module

from blocks.echo import Echo
from sdk.testing import BlockRunner

pytest_plugins = ["pytester"]

BLOCKS = {
    "stalls": "def hog():\n    time.sleep(3)\nhog()\nawait asyncio.sleep(0.3)\nreturn ok()",
    "hangs": "self.logger.warning('about to hang')\ntime.sleep(600)",
    "awaits": "await asyncio.sleep(3)\nreturn ok()",
    "cooperates": "try:\n    await asyncio.sleep(600)\nfinally:\n    self.logger.info('cleaned up')",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("library")
    for name, body in BLOCKS.items():
        (directory / f"{name}.py").write_text(block_module(f"run_{name}", body))
    return directory


# Each limit is long enough for a block to come to its line on a machine that stands still for a second.


def line_of(file: Path, text: str) -> int:
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)


def test_a_stall_is_told_with_its_place(block_runner: BlockRunner, library: Path) -> None:
    outcome = block_runner.run("run_stalls", source=library, stall_seconds=0.3)
    line = line_of(library / "stalls.py", "time.sleep(3)")
    outcome.assert_succeeded().assert_stalled(at=f"stalls.py:{line}").assert_stalled(at="hog")
    assert 0.3 <= outcome.stalls[0].seconds < outcome.elapsed_seconds
    outcome.assert_logged("runs again", level="WARNING")


def test_a_block_that_awaits_does_not_stall(block_runner: BlockRunner, library: Path) -> None:
    block_runner.run("run_awaits", source=library, stall_seconds=2).assert_succeeded().assert_not_stalled()


def test_a_stalled_block_can_be_ended(block_runner: BlockRunner, library: Path) -> None:
    outcome = block_runner.run("run_hangs", source=library, stall_seconds=2, on_stall="kill", grace_seconds=0)
    outcome.assert_killed(by="stall").assert_stalled(at="run").assert_logged("about to hang")


def test_a_limit_is_a_limit_whether_or_not_the_grace_was_used(
    block_runner: BlockRunner, library: Path
) -> None:
    hung = block_runner.run("run_hangs", source=library, max_seconds=2, grace_seconds=0)
    assert hung.assert_killed(by="time limit").killed
    ended = block_runner.run("run_cooperates", source=library, max_seconds=2, grace_seconds=5)
    assert not ended.assert_killed(by="time limit").assert_logged("cleaned up").killed


def test_acquire_and_rollback_have_methods_of_their_own(block_runner: BlockRunner) -> None:
    block_runner.acquire(Echo, {"text": "x"}).assert_acquired()
    block_runner.rollback(Echo, {"text": "x"}).assert_failed("Rollback not implemented")


def test_a_crash_fails_its_own_case_only_with_signal_and_stack(author_dir: pytest.Pytester) -> None:
    cases = """
@fb_test_case("crashes", Params(text="crash"), None)
@fb_test_case("works", Params(), None)
"""
    body = "if params.text == 'crash':\n    os.kill(os.getpid(), 11)\nreturn ok()"
    author_dir.makepyfile(crashing=block_module("crashing", body, cases=cases))
    result = author_dir.runpytest()
    result.assert_outcomes(failed=1, passed=1)
    line = line_of(author_dir.path / "crashing.py", "os.kill")
    result.stdout.fnmatch_lines(["*crashed (SIGSEGV*", f'*crashing.py", line {line} in run*'])


def test_an_exception_shows_the_author_s_frames_and_none_of_ours(author_dir: pytest.Pytester) -> None:
    author_dir.makepyfile(helper_of_raising="def deep(port):\n    raise KeyError(port)\n")
    cases = 'from helper_of_raising import deep\n@fb_test_case("raises", Params(), None)'
    body = (
        "try:\n    deep('eth0')\nexcept KeyError as error:\n    raise RuntimeError('no such port') from error"
    )
    author_dir.makepyfile(raising=block_module("raising", body, cases=cases))
    result = author_dir.runpytest("helper_of_raising.py", "raising.py")
    result.assert_outcomes(failed=1)
    lines = [
        "*raised RuntimeError: no such port (*raising.py:*",
        f'*File "{author_dir.path}/raising.py", line *, in run*',
        f'*File "{author_dir.path}/helper_of_raising.py", line 2, in deep*',
        "*KeyError: 'eth0'*",
        "*direct cause*",
    ]
    result.stdout.fnmatch_lines(lines)
    shown = result.stdout.str()
    assert not any(f"/{package}/" in shown for package in ("sdk", "jobrunner", "supervisor"))


def test_an_assertion_of_a_test_shows_the_test_s_line_and_none_of_ours(author_dir: pytest.Pytester) -> None:
    author_dir.makepyfile(
        test_of_echo="""
        from blocks.echo import Echo

        def test_it(block_runner):
            block_runner.run(Echo, {"text": "x"}).assert_succeeded({"text": "y"})
        """
    )
    result = author_dir.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ['*assert_succeeded({"text": "y"})*', '*-   "text": "y"*', '*+   "text": "x"*']
    )
    assert "asserting.py" not in result.stdout.str()
