"""Which generated pages there are, and which of them are out of date."""

from pathlib import Path

import griffe

from docs.tools.answers_page import ANSWERS_FILE, render_answers
from docs.tools.api_page import Page, render
from docs.tools.commands_page import render_commands
from docs.tools.environment_example import EXAMPLE_FILE, render_example
from docs.tools.events_page import CAUSES_FILE, EVENTS_FILE, render_causes, render_events
from docs.tools.exit_codes_page import EXIT_CODES_FILE, render_exit_codes
from docs.tools.man_page import MAN_FILE, render_man_page
from docs.tools.metrics_page import METRICS_FILE, render_metrics
from docs.tools.settings_page import SETTINGS_FILE, render_settings

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"

PAGES = (
    Page("sdk", "sdk.md", "`sdk`: what a block is written with"),
    Page("sdk.connection", "sdk-connection.md", "`sdk.connection`: network devices in a block"),
    Page("sdk.concurrency", "sdk-concurrency.md", "`sdk.concurrency`: several things at once in a block"),
    Page("sdk.testing", "sdk-testing.md", "`sdk.testing`: what a block is tested with"),
    Page("sdk.devengine", "sdk-devengine.md", "`sdk.devengine`: an engine for one machine"),
)
COMMANDS_FILE = "command-line.md"


def stale_pages() -> dict[Path, str]:
    """Return each page whose file is missing or is not what the source says now, with what it should be."""
    loader = griffe.GriffeLoader(search_paths=[ROOT])
    wanted = {REFERENCE / page.file: render(page, loader) for page in PAGES}
    wanted[REFERENCE / COMMANDS_FILE] = render_commands()
    wanted[REFERENCE / EXIT_CODES_FILE] = render_exit_codes()
    wanted[REFERENCE / SETTINGS_FILE] = render_settings()
    wanted[ROOT / "deploy" / EXAMPLE_FILE] = render_example()
    wanted[ROOT / "deploy" / MAN_FILE] = render_man_page()
    wanted[REFERENCE / EVENTS_FILE] = render_events()
    wanted[REFERENCE / CAUSES_FILE] = render_causes()
    wanted[REFERENCE / METRICS_FILE] = render_metrics()
    wanted[REFERENCE / ANSWERS_FILE] = render_answers()
    return {path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text}
