"""Events of the blocks that a worker imports and offers."""

from logging import DEBUG, ERROR, INFO, WARNING

from supervisor.log.event import Event


class ModuleFailed(Event, level=ERROR, text="{problem}\n{import_traceback}"):
    """A module of blocks could not be imported. Its blocks are not offered."""

    file: str | None
    line_number: int | None
    module: str | None
    kind: str
    problem: str
    import_traceback: str


class BlocksGone(
    Event,
    level=ERROR,
    text="The new template does not have {blocks}. The worker offers them on, and their jobs fail until a reload. "
    "Look at what became of their files, then send SIGHUP.",
):
    """When a template ends, the next one imports the files as they are then. These files have changed since the start
    or the last reload: perhaps a reload was refused because of them."""

    blocks: str


class BlocksChanged(
    Event,
    level=WARNING,
    text="The new template has other code of {blocks} than the one before. Jobs run it, although nobody has reloaded. "
    "Send SIGHUP, so that the engine learns of it as well.",
):
    """As with `blocks_gone`, the files have changed since the start or the last reload."""

    blocks: str


class ModuleSkipped(Event, level=ERROR, text="{problem} The worker starts over without it."):
    """A module hung or crashed during its import. Or it started a thread while the worker replaced a dead template."""

    module: str
    problem: str


class ImportRepeated(Event, level=WARNING, text="{problem} The worker tries it again."):
    """The process that imports the blocks was killed from outside."""

    problem: str


class ImportSlow(
    Event,
    level=INFO,
    text="The import of the blocks takes longer than {seconds:g} s; it is at {place}. The worker asks for jobs "
    "when all are imported. One module may take {limit_seconds:g} s (--import-seconds).",
):
    """This is why a start or a reload takes long. A module imports a large library, or waits. The log says it once for
    each template.

    `place` is the module's file; its name, where it has none.
    """

    place: str
    seconds: float
    limit_seconds: float


class SourcesChanged(Event, level=INFO, text="A source file has changed. {sources} is imported again."):
    """A test run imports the blocks again, so that it tests the current code."""

    sources: str


class ImportOutput(Event, level=INFO, text="{line}"):
    """A line that a module printed while it was imported."""

    line: str


class BlockSlotsUnused(
    Event,
    level=WARNING,
    text="--block-slots names {block}, which this worker does not have. `supervisor blocks` lists its blocks.",
):
    """The setting changes nothing for this block."""

    block: str


class ModulesLeftOut(
    Event,
    level=INFO,
    text="{modules} module(s) were not imported, because nothing at their top level registers a block. "
    "`supervisor blocks` lists them. To import one, name its file in --function-blocks. "
    "To import all, give --import-all-modules.",
):
    """Modules that lie beside the blocks and were not run."""

    modules: int


class ModuleLeftOut(Event, level=DEBUG, text="Not imported: {module}"):
    """One of the modules that `modules_left_out` counts, with the reason."""

    module: str


class BlockLimitLowered(
    Event,
    level=WARNING,
    text="Block {block} asks for up to {asked_seconds:g} s. The worker's limit of {limit_seconds:g} s holds "
    "(--max-job-seconds).",
):
    """Raise `--max-job-seconds` to let the block run as long as it asks for."""

    block: str
    asked_seconds: float
    limit_seconds: float


class BlockIdHasHyphen(
    Event,
    level=WARNING,
    text="Block {block} has a hyphen in its id. It is registered as it is; an engine before 0.43 refuses it. "
    "If yours does, write '_' in its place.",
):
    """Only newer engines take a hyphen in a block's package or name."""

    block: str


class BlockRefused(Event, level=ERROR, text="Block {block} is not offered. {reason}"):
    """The engine did not accept this block. The others are offered."""

    block: str
    reason: str


class InterpreterForEachJob(
    Event,
    level=WARNING,
    text="Each job starts an interpreter of its own (about half a second), because {reason}",
):
    """A module starts a thread while it is imported, so the process that has imported it can't be forked."""

    reason: str
