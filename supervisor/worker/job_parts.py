"""The parts of the worker that jobs go through, made from the settings."""

from jobrunner.protocol.catalogue import Catalogue
from supervisor.engine import EngineApi
from supervisor.job.host_keys.store import HostKeyStore
from supervisor.job.runner import JobRunner
from supervisor.journal import Ledger
from supervisor.launcher import Launcher
from supervisor.process.cgroups.worker import Cgroups
from supervisor.settings.run_settings import DaemonSettings
from supervisor.verdict import Verdict
from supervisor.worker.delivery import Delivery
from supervisor.worker.dispatch import Dispatcher
from supervisor.worker.intake import Intake
from supervisor.worker.isolation import JOBS
from supervisor.worker.job_records import JobRecords, records_of
from supervisor.worker.lost_claims import LostClaims
from supervisor.worker.observer import Observer
from supervisor.worker.poller import Poller
from supervisor.worker.progress import Progress
from supervisor.worker.recovery import Recovery
from supervisor.worker.registration import Registration


def runner_of(settings: DaemonSettings, launcher: Launcher, cgroups: Cgroups) -> JobRunner:
    """Return the runner of this worker's jobs."""
    return JobRunner(
        launcher,
        settings,
        settings.state_dir / JOBS,
        spares=settings.spares,
        cgroups=cgroups,
        host_keys=HostKeyStore(settings.state_dir, settings.known_hosts),
    )


def dispatcher_of(
    settings: DaemonSettings,
    runner: JobRunner,
    journal: Ledger,
    delivery: Delivery,
    engine: EngineApi,
    catalogue: Catalogue,
    observer: Observer,
) -> Dispatcher:
    """Return the dispatcher with the slots. Raises `StartRefusedError` if a thread can't be started."""
    return Dispatcher(
        runner,
        journal,
        delivery,
        engine,
        catalogue,
        slots=settings.max_concurrent_jobs,
        engine_job_timeout_seconds=settings.engine_job_timeout_seconds,
        observer=observer,
        records=records_of(settings),
    )


def recovery_of(
    settings: DaemonSettings,
    journal: Ledger,
    delivery: Delivery,
    engine: EngineApi,
    records: JobRecords,
    observer: Observer,
) -> Recovery:
    """Return the part that handles the jobs of an earlier run."""

    def reported(job_id: str, block_id: str | None, verdict: Verdict) -> None:
        observer.not_run(block_id, verdict.cause.value)
        records.not_run(job_id, block_id, verdict)

    timeout = settings.engine_job_timeout_seconds
    return Recovery(journal, delivery, engine, timeout, on_report=reported)


def registration_of(
    settings: DaemonSettings, engine: EngineApi, journal: Ledger, catalogue: Catalogue
) -> Registration:
    """Return the part that registers this worker and its blocks with the engine."""
    name, address = settings.worker_name, settings.worker_ip_address
    return Registration(engine, journal, catalogue.blocks, name=name, ip_address=address)


def _lost_claims_of(
    settings: DaemonSettings,
    engine: EngineApi,
    dispatcher: Dispatcher,
    journal: Ledger,
    registration: Registration,
) -> LostClaims:
    came_back = registration.came_back
    lost_claims = LostClaims(
        engine,
        dispatcher,
        knows_the_last_run=lambda: not came_back or journal.knows_the_last_run,
        answering=engine.answering,
        engine_job_timeout_seconds=settings.engine_job_timeout_seconds,
    )
    if came_back:
        # The worker before this one may have been killed after a poll's answer and before it was in the journal.
        lost_claims.suspect_the_last_run()
    return lost_claims


def poller_of(
    settings: DaemonSettings,
    engine: EngineApi,
    journal: Ledger,
    registration: Registration,
    dispatcher: Dispatcher,
    delivery: Delivery,
    intake: Intake,
    observer: Observer,
    progress: Progress,
) -> Poller:
    """Return the poller, which looks for lost claims too. Call it once this worker is registered."""
    return Poller(
        engine,
        registration,
        dispatcher,
        _lost_claims_of(settings, engine, dispatcher, journal, registration),
        settings.poll_seconds,
        delivery,
        observer,
        may_claim=lambda: intake.is_open,
        on_turn=progress.pause.turn,
    )
