"""What a text points to exists: sections of the engine's contract, files, and the platform's names."""

import re
import subprocess
from pathlib import Path

import pytest
from docs_pages import ROOT, all_pages, headings_of

from tests.patience import PATIENCE_SECONDS

CONTRACT = ROOT / "docs" / "reference" / "engine-contract.md"
NAMES_PAGE = ROOT / "docs" / "explanation" / "architecture-names.md"

NOT_HERE = re.compile("\u00a7" + r"|contract,?\s+section\s+\d|contract,\s+(?:W?\d)")
"""How texts once named a document that is in no checkout. The sections of the contract have names."""

SECTION = re.compile(r"engine\s+contract:\s+([a-z][\w -]*?)(?=[).,;`\"*]|$)", re.MULTILINE)
FILE = re.compile(r"`((?:supervisor|jobrunner|sdk|blocks|tests|deploy|docs)/[a-z0-9_./-]+)`")

NAMES = re.findall(
    r"\S+",
    """
main_async heartbeat_task job_polling_task _process_job_sync run_in_executor execute_function_block asyncio.gather
asyncio.wait_for asyncio.Event GracefulShutdownHandler create_subprocess_exec python_eval.py add_signal_handler
workers_controller_register workers_controller_ping blackboard_controller_poll_job blackboard_controller_push_job_result
function_blocks_controller_register WorkerRegistration Registry FunctionBlock WorkflowContext FunctionBlockResult
run_in_thread.py run_parallel.py tasks.py detection.py BlockingDetector schedule_task _trigger_shutdown shutdown_event
Config.poll_interval pytest.ini examples io norecursedirs make_scripts python_files function_block testing simple_frr
simple_iol pytest.mark.asyncio AsyncMock _workers_api fb_test_case fb_test_case_with_lab create_workflow_context
WorkerExpiredError asyncio.TaskGroup ThreadPoolExecutor max_workers psutil --start-method
""",
)
"""The names that the architecture page of the platform gives to parts of a worker."""


OF_THIS_CODE = [
    page
    for page in all_pages()
    if page.name != "CHANGELOG.md" and page.parent.name not in {"adr", "how-to", "tutorial"}
]
"""Pages that speak of this project's files as they are now: not of earlier ones, nor of a reader's own."""


def texts() -> list[Path]:
    """Return the sources and pages of this checkout."""
    listed = [
        "git",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "*.py",
        "*.md",
        "*.template",
    ]
    try:
        found = subprocess.run(
            listed, cwd=ROOT, capture_output=True, check=True, timeout=PATIENCE_SECONDS
        ).stdout.decode()
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, or git is not installed")
    return [ROOT / name for name in found.split("\0") if name and (ROOT / name).is_file()]


def places(pattern: re.Pattern[str]) -> list[tuple[str, re.Match[str]]]:
    found = []
    for path in texts():
        # A comment that goes on in the next line is one text.
        text = re.sub(r"\n\s*(?:# )?(?=\S)", "\n", path.read_text(encoding="utf-8", errors="replace"))
        found += [(str(path.relative_to(ROOT)), match) for match in pattern.finditer(text)]
    return found


def test_no_text_refers_to_a_document_that_is_not_here() -> None:
    assert [f"{path}: {match[0]}" for path, match in places(NOT_HERE)] == []


def test_each_section_of_the_contract_that_is_named_is_there() -> None:
    known = {heading.lower() for heading in headings_of(CONTRACT)}
    named = [(path, " ".join(match[1].split())) for path, match in places(SECTION)]
    assert len(named) > 20
    assert [f"{path}: {name}" for path, name in named if name not in known] == []


@pytest.mark.parametrize("page", OF_THIS_CODE, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_file_that_a_page_names_exists(page: Path) -> None:
    named = FILE.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name.split("::")[0]).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_each_name_of_the_platforms_architecture_is_explained(name: str) -> None:
    assert name in NAMES_PAGE.read_text(encoding="utf-8")
